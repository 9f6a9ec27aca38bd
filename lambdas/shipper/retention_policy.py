"""How long logs stay in the domain, and where: a policy of Index State Management.

https://docs.aws.amazon.com/opensearch-service/latest/developerguide/ism.html; an index's age counts from when it was
made.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from shipper.document import INDEX_PATTERN

NAME = "cwl-retention"
_RETRY = {"count": 5, "backoff": "exponential", "delay": "1h"}


def retention_policy(*, delete_after_days: int, warm_after_days: int = 0, cold_after_days: int = 0) -> dict[str, Any]:
    """Body of `PUT .../_ism/policies/cwl-retention`; 0 days leave a step out. A cold step needs a warm one before it.

    The description ends with a digest of all the rest: the engine adds to what it stores, so the text tells whether
    a policy is this one.
    """
    states = _states(delete_after_days, warm_after_days, cold_after_days)
    digest = hashlib.sha256(json.dumps(states).encode()).hexdigest()[:12]
    return {
        "policy": {
            "description": f"cwl-shipper: deletes logs after {delete_after_days} days ({digest})",
            "default_state": states[0]["name"],
            "ism_template": [{"index_patterns": [INDEX_PATTERN], "priority": 100}],
            "states": states,
        }
    }


def _states(delete_after_days: int, warm_after_days: int, cold_after_days: int) -> list[dict[str, Any]]:
    steps: list[tuple[str, int, dict[str, Any]]] = [("hot", 0, {})]
    if warm_after_days:
        steps.append(("warm", warm_after_days, {"warm_migration": {}}))
    if cold_after_days:
        cold = {"start_time": None, "end_time": None, "timestamp_field": "@timestamp", "ignore": "none"}
        steps.append(("cold", cold_after_days, {"cold_migration": cold}))
    # An index in cold storage is not there for a plain `delete`.
    steps.append(("delete", delete_after_days, {"cold_delete" if cold_after_days else "delete": {}}))
    return [
        {
            "name": name,
            "actions": [{**action, "timeout": "24h", "retry": _RETRY}] if action else [],
            "transitions": [
                {"state_name": then, "conditions": {"min_index_age": f"{days}d"}}
                for then, days, _ in steps[at + 1 : at + 2]
            ],
        }
        for at, (name, _, action) in enumerate(steps)
    ]
