"""`cwl-shipper audit --quick`: what CloudWatch says that it forwarded, against what the subscriber says it received."""

from __future__ import annotations

import sys

from shipper import metrics
from shipper.audit import Window
from shipper.aws.clock import SystemClock
from shipper.aws.figures import Figures, Metric
from shipper.aws.log_groups import Subscription
from shipper.cli.deployment import Site
from shipper.cli.terminal import PARTLY_DONE, Failed, console, print_json


def compare_counts(
    site: Site, window: Window, subscription: Subscription | None, unsure: str, *, as_json: bool
) -> None:
    """Print the counts of a time; exits with 3 where fewer events were received than forwarded. Raises `Failed`.

    `unsure` says why there may be a subscription after all.
    """
    log_group = window.source.log_group
    if subscription is None:
        raise Failed(
            f"no subscription filter of {log_group} leads to the subscriber{unsure or ': nothing is forwarded'}"
        )
    counts = _counts(site, window, subscription)
    forwarded, received = counts["forwarded"], counts["received"]
    if forwarded is None:
        # Its metrics are documented by filter: of a policy there may be none.
        instead = f" by the account's policy {subscription.name}: leave --quick out" if subscription.is_policy else ""
        raise Failed(f"CloudWatch has no figures of what it forwarded from {log_group} in this time{instead}")
    short = max(0, round(forwarded - (received or 0)))
    if as_json:
        print_json({"log_group": log_group, **counts, "not_received": short})
    else:
        out = console()
        for name, count in counts.items():
            out.print(f"{'unknown' if count is None else f'{count:,.0f}':>11}  {name.replace('_', ' ')}")
        if short:
            out.print(f"At least {short:,} events were forwarded and not received.", style="bold red")
            out.print("Next: the same command without --quick names them.")
        else:
            out.print(
                "The counts fit. Deliveries that were repeated count twice, so that this proves less than an audit."
            )
    if short:
        sys.exit(PARTLY_DONE)


def _counts(site: Site, window: Window, subscription: Subscription) -> dict[str, float | None]:
    group = {"LogGroupName": window.source.log_group}
    forwarding = {**group, "DestinationType": "Lambda", "FilterName": subscription.name}
    ours = {metrics.SERVICE: "subscriber", metrics.LOG_GROUP: window.source.log_group}
    asked = {
        "incoming": Metric("AWS/Logs", "IncomingLogEvents", group),
        "forwarded": Metric("AWS/Logs", "ForwardedLogEvents", forwarding),
        "delivery_errors": Metric("AWS/Logs", "DeliveryErrors", forwarding),
        "delivery_throttling": Metric("AWS/Logs", "DeliveryThrottling", forwarding),
        "received": Metric(site.outputs["MetricsNamespace"], metrics.RECEIVED, ours),
    }
    return Figures(site.client("cloudwatch")).of(asked, window.from_ms, window.to_ms, SystemClock().now_ms())
