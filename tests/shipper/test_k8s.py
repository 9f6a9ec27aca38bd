"""Every rule by a manifest with that one mistake, and the old forms by what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from shipper.k8s.check import AGENT_RULES, check
from shipper.k8s.findings import Rule, Severity
from shipper.k8s.pod_rules import DOCUMENT_RULES
from tests.shipper.k8s.manifest import GOOD, changed, documents, found, good_but, names
from tests.shipper.k8s.old_forms import CLASSIC, PATCHED

RULES: tuple[Rule[Any], ...] = (*AGENT_RULES, *DOCUMENT_RULES)
CRI = "        @type cri\n        time_format %iso8601\n"
PARTS = '        partial_key logtag\n        partial_value P\n        separator ""\n'
JOURNAL = '      matches [{"_SYSTEMD_UNIT": "kubelet.service"}]\n'
METADATA = "        @type kubernetes_metadata\n"
BUFFER = "        <buffer>\n"
FILE = "          @type file\n          path /var/lib/fluentd/buffer\n"
OLD_FILE = "buffer_type file\n        buffer_path /var/lib/fluentd/buffer\n"
PARTS_END = "        timeout_label @lines\n      </filter>\n"
PATTERN = "        <pattern>\n          format {}\n        </pattern>\n"
STORAGE = "      <storage>\n        @type local\n        path /var/lib/fluentd/journal.json\n      </storage>\n"
CONCAT_BY_LOGTAG = (
    '        use_partial_cri_logtag true\n        partial_cri_logtag_key logtag\n        separator ""\n        {}\n'
)
TAIL_OF = (
    "    <source>\n      @type tail\n      path {}\n      pos_file /var/lib/fluentd/p\n      tag x\n    </source>\n"
)
TRANSFORM = "        @type record_transformer\n"

Changes = tuple[tuple[str, str], ...]

FAULTS: list[tuple[str, str, Changes]] = [
    ("json-parser", "for Docker's files", ((CRI, "        @type json\n"),)),
    ("json-parser", "as a format", (("      <parse>\n" + CRI + "      </parse>\n", "      format json\n"),)),
    (
        "json-parser",
        "as the default of a variable",
        ((CRI, "        @type \"#{ENV['PARSER'] || 'json'}\"\n"),),
    ),
    (
        "json-parser",
        "as every pattern",
        ((CRI, "        @type multi_format\n" + PATTERN.format("json")),),
    ),
    ("cri-time-format", "the parser's own", (("        time_format %iso8601\n", ""),)),
    ("unmatched-lines", "by default", (("      emit_unmatched_lines true\n", ""),)),
    ("refresh-interval", "by default", (("      refresh_interval 10\n", ""),)),
    ("refresh-interval", "a minute", (("refresh_interval 10", "refresh_interval 1m"),)),
    (
        "refresh-interval",
        "of one worker",
        (
            ("  in.conf: |\n", "  in.conf: |\n    <worker 0>\n"),
            ("    <label @parts>\n", "    </worker>\n    <label @parts>\n"),
            ("      refresh_interval 10\n", ""),
        ),
    ),
    ("read-from-head", "by default", (("      read_from_head true\n", ""),)),
    ("no-position", "of files", (("      pos_file /var/lib/fluentd/pos\n", ""),)),
    ("no-position", "of the journal", ((STORAGE, ""),)),
    (
        "split-lines",
        "one concat only",
        (("@label @parts", "@label @lines"), (PARTS, '        multiline_start_regexp /a/\n        separator "\\n"\n')),
    ),
    (
        "split-lines",
        "joined in another worker",
        (
            ("@label @parts", "@label @lines"),
            ("  in.conf: |\n", "  in.conf: |\n    <worker 0>\n"),
            ("    <label @parts>\n", "    </worker>\n    <worker 1>\n    <label @parts>\n"),
            ("    <label @lines>\n", "    </worker>\n    <label @lines>\n"),
        ),
    ),
    ("gone-units", "Docker", (("kubelet.service", "docker.service"),)),
    ("host-files", "no journal", (("    <label @parts>", TAIL_OF.format("/var/log/messages") + "    <label @parts>"),)),
    ("systemd-filters", "before 1.0", (("      matches ", "      filters "),)),
    (
        "host-metadata",
        "behind the journal",
        (
            (
                "    <label @out>\n",
                "    <label @out>\n      <filter **>\n"
                + METADATA
                + (
                    "        watch false\n        skip_master_url true\n        skip_container_metadata true\n"
                    "        skip_namespace_metadata true\n      </filter>\n    </label>\n    <label @out2>\n"
                ),
            ),
            ("@label @out\n      </match>", "@label @out2\n      </match>"),
        ),
    ),
    ("costly-metadata", "namespaces", (("        skip_namespace_metadata true\n", ""),)),
    ("metadata-watch", "by default", (("        watch false\n", ""),)),
    ("de-dot", "of version 2", ((METADATA, METADATA + "        de_dot true\n"),)),
    (
        "own-log",
        "at the top level",
        (("    @include in.conf\n", "    @include in.conf\n    <match fluent.**>\n      @type null\n    </match>\n"),),
    ),
    ("conf-fault", "a parameter twice", (("        watch false\n", "        watch false\n        watch false\n"),)),
    ("conf-fault", "a section left open", (("      </match>\n    </label>\n  in.conf", "      </match>\n  in.conf"),)),
    (
        "include-not-seen",
        "in another ConfigMap",
        (("    @include in.conf\n", "    @include in.conf\n    @include b.conf\n"),),
    ),
    ("glued-lines", "stack traces", (('separator "\\n"', 'separator ""'),)),
    ("broken-parts", "by default", ((PARTS, PARTS.replace('        separator ""\n', "")),)),
    ("mixed-streams", "of a concat", (("        stream_identity_key stream\n", ""),)),
    (
        "mixed-streams",
        "of detect_exceptions",
        (("        @type relabel\n", "        @type detect_exceptions\n        force_line_breaks true\n"),),
    ),
    ("lost-stream", "by default", ((PARTS, CONCAT_BY_LOGTAG.format("")),)),
    ("late-time", "by default", (("        use_first_timestamp true\n", ""),)),
    ("no-timeout-label", "by default", (("        timeout_label @meta\n", ""),)),
    (
        "skipped-filters",
        "two steps in a label",
        ((PARTS_END, PARTS_END + "      <filter **>\n        @type grep\n      </filter>\n"),),
    ),
    (
        "glued-exceptions",
        "by default",
        (("        @type relabel\n", "        @type detect_exceptions\n        stream stream\n"),),
    ),
    ("cut-stream-names", "in a record", (("${tag_suffix[3]}", "${tag_parts[3]}"),)),
    ("cut-stream-names", "behind a prefix", (("${tag_suffix[3]}", '${tag_parts[4] + "-x"}'),)),
    (
        "cut-stream-names",
        "in the output",
        (("        log_stream_name_key stream_name", "        log_stream_name ${tag[3]}"),),
    ),
    ("memory-buffer", "said", (("          @type file\n", "          @type memory\n"),)),
    ("memory-buffer", "by default", (("          @type file\n", ""),)),
    (
        "memory-buffer",
        "of another output",
        (("        @type cloudwatch_logs\n", "        @type house_made\n"), ("          @type file\n", "")),
    ),
    ("state-off-node", "positions", (("/var/lib/fluentd/pos", "/tmp/pos"),)),
    ("state-off-node", "a buffer", (("path /var/lib/fluentd/buffer", "path /buffer"),)),
    ("state-off-node", "on what may only be read", (("/var/lib/fluentd/pos", "/var/log/pos"),)),
    ("state-off-node", "the root of all state", (("root_dir /var/lib/fluentd", "root_dir /state"),)),
    (
        "state-off-node",
        "in an emptyDir",
        (("        - {name: state, hostPath: {path: /var/lib/fluentd}}", "        - {name: state, emptyDir: {}}"),),
    ),
    ("full-buffer", "by default", (("          overflow_action block\n", ""),)),
    ("full-buffer", "the oldest goes", (("overflow_action block", "overflow_action drop_oldest_chunk"),)),
    ("gives-up", "by default", (("          retry_forever true\n", ""),)),
    ("throttled", "by default", (("        put_log_events_disable_retry_limit true\n", ""),)),
    ("event-size", "no bound", ((".byteslice(0, 450_000)", ""),)),
    ("no-log-group", "no name", (("        log_group_name \"/app/#{ENV.fetch('CLUSTER')}\"\n", ""),)),
    ("no-streams", "by default", (("        auto_create_stream true\n", ""),)),
    ("node-shutdown", "by default", (("          flush_at_shutdown true\n", ""),)),
    ("cut-json", "said", ((BUFFER, "        max_message_length 250000\n" + BUFFER),)),
    ("unbounded-buffer", "by default", (("          total_limit_size 512m\n", ""),)),
    ("silent-rejects", "by default", (("        log_rejected_request true\n", ""),)),
    ("old-buffer-keys", "flat", ((BUFFER, "        num_threads 2\n" + BUFFER),)),
    ("old-buffer-keys", "all of it right", ((BUFFER + FILE, f"        {OLD_FILE}" + BUFFER),)),
    ("tainted-nodes", "none", (("      tolerations: [{operator: Exists}]\n", ""),)),
    ("tainted-nodes", "one taint", (("[{operator: Exists}]", "[{key: x, operator: Exists}]"),)),
    ("moving-image", "latest", (("v1.19.3-debian-cloudwatch-1.1", "latest"),)),
    ("moving-image", "no tag", ((":v1.19.3-debian-cloudwatch-1.1", ""),)),
    ("moving-image", "a major version", (("v1.19.3-debian-cloudwatch-1.1", "v1-debian-cloudwatch"),)),
    (
        "moving-image",
        "of an init container",
        (("      containers:\n", "      initContainers: [{name: a, image: busybox}]\n      containers:\n"),),
    ),
    ("old-image", "a year old", (("v1.19.3", "v1.18.0"),)),
    ("writable-logs", "by default", (("mountPath: /var/log, readOnly: true", "mountPath: /var/log"),)),
    (
        "docker-paths",
        "mounted",
        (
            ("            - {name: state,", "            - {name: d, mountPath: /d}\n            - {name: state,"),
            ("      volumes:\n", "      volumes:\n        - {name: d, hostPath: {path: /var/lib/docker/containers}}\n"),
        ),
    ),
    (
        "no-roll",
        "a name that stays",
        (
            ("metadata: {name: conf-0123456789,", "metadata: {name: conf,"),
            ("configMap: {name: conf-0123456789}", "configMap: {name: conf}"),
        ),
    ),
    ("no-priority", "none", (("      priorityClassName: system-node-critical\n", ""),)),
    ("no-liveness", "none", (("          livenessProbe: {httpGet: {path: /metrics, port: 24231}}\n", ""),)),
    ("unconfined", "capabilities", (("            capabilities: {drop: [ALL]}\n", ""),)),
    (
        "unconfined",
        "privileged",
        (("            capabilities:", "            privileged: true\n            capabilities:"),),
    ),
    ("update-by-hand", "OnDelete", (("  selector:", "  updateStrategy: {type: OnDelete}\n  selector:"),)),
    (
        "config-map-elsewhere",
        "a variable",
        (("- {name: CLUSTER, value: shop}", "- {name: CLUSTER, valueFrom: {configMapKeyRef: {name: info, key: a}}}"),),
    ),
    ("role-not-seen", "no annotation", ((', annotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::1:role/x"}', ""),)),
    (
        "node-role",
        "on the host's network",
        (
            (', annotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::1:role/x"}', ""),
            ("      priorityClassName", "      hostNetwork: true\n      priorityClassName"),
        ),
    ),
    ("removed-api", "of rights", (("rbac.authorization.k8s.io/v1\n", "rbac.authorization.k8s.io/v1beta1\n"),)),
    ("no-such-resource", "pods/logs", (("resources: [pods]", "resources: [pods, pods/logs]"),)),
]

RIGHT: dict[str, Changes] = {
    "nothing changed": (),
    "parts joined by the other mode": ((PARTS, CONCAT_BY_LOGTAG.format("partial_cri_stream_key _none")),),
    "several formats, one of them CRI": (
        (
            CRI,
            "        @type multi_format\n"
            + PATTERN.format("json")
            + PATTERN.format("cri\n          time_format %iso8601"),
        ),
    ),
    "a parser that a variable names": (
        (CRI, "        @type \"#{ENV['PARSER'] || 'json'}\"\n        time_format %iso8601\n"),
        ("            - {name: CLUSTER, value: shop}", "            - {name: PARSER, value: cri}"),
    ),
    "a parser that nobody knows": ((CRI, "        @type \"#{ENV['PARSER']}\"\n"),),
    "a plugin that nobody knows": (("        @type relabel\n", "        @type house_made\n"),),
    "exceptions joined by the plugin made for it": (
        ("@type relabel\n", "@type detect_exceptions\n        stream stream\n        force_line_breaks true\n"),
    ),
    "part of a tag that is no file's name": ((TRANSFORM, TRANSFORM + "        tag x.${tag_parts[1]}\n"),),
    "a file on the host beside all of the journal": (
        (JOURNAL, ""),
        ("    <label @parts>", TAIL_OF.format("/var/log/messages") + "    <label @parts>"),
    ),
    "a file on the host, and all of the journal in another worker": (
        (JOURNAL, ""),
        ("  in.conf: |\n", "  in.conf: |\n    <worker 0>\n"),
        (
            "    <label @parts>",
            f"    </worker>\n    <worker 1>\n{TAIL_OF.format('/var/log/messages')}    </worker>\n    <label @parts>",
        ),
    ),
    "another output with such a buffer": (("        @type cloudwatch_logs\n", "        @type house_made\n"),),
    "an image by its digest": (("v1.19.3-debian-cloudwatch-1.1", "latest@sha256:" + 64 * "a"),),
    "a checksum that Helm makes": (
        ("metadata: {name: conf-0123456789,", "metadata: {name: conf,"),
        ("configMap: {name: conf-0123456789}", "configMap: {name: conf}"),
        ("metadata: {labels: {app: fluentd}}", "metadata: {labels: {app: fluentd}, annotations: {checksum/config: a}}"),
    ),
    "booleans in capitals": (("readOnly: true", "readOnly: True"), ("Escalation: false", "Escalation: False")),
    "positions in a folder of the state": (("/var/lib/fluentd/pos", "/var/lib/fluentd/a/b.pos"),),
    "a configuration in a volume of several": (
        (
            "- {name: conf, configMap: {name: conf-0123456789}}",
            "- {name: conf, projected: {sources: [{configMap: {name: conf-0123456789}}]}}",
        ),
    ),
}


@pytest.mark.parametrize(
    ("rule", "changes"),
    [pytest.param(rule, changes, id=f"{rule}: {case}") for rule, case, changes in FAULTS],
)
def test_a_mistake_is_found_and_nothing_else(rule: str, changes: Changes) -> None:
    assert good_but(*changes) == {rule}


@pytest.mark.parametrize("changes", RIGHT.values(), ids=RIGHT)
def test_what_is_right_is_let_be(changes: Changes) -> None:
    assert good_but(*changes) == set()


def test_every_rule_is_shown_at_work() -> None:
    bits = {rule.name for rule in RULES if rule.name.startswith("bit-")}
    assert {rule for rule, _, _ in FAULTS} | bits | {"conf-not-seen"} == {rule.name for rule in RULES}
    assert len({rule.name for rule in RULES}) == len(RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_says_what_is_wrong_what_helps_and_where_that_is_written(rule: Rule[Any]) -> None:
    assert re.fullmatch(r"[a-z]+(?:-[a-z]+)*", rule.name)
    assert rule.wrong
    assert rule.helps
    assert urlsplit(rule.link).scheme == "https"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("full-buffer", "what a concat holds is lost, or comes twice; with drop_oldest_chunk"),
        ("read-from-head", "no position yet when Fluentd starts"),
    ],
)
def test_a_rule_says_no_more_than_what_is_lost(name: str, said: str) -> None:
    (rule,) = [rule for rule in RULES if rule.name == name]
    assert said in rule.wrong


DECISIONS: dict[str, set[str]] = {
    "containers are read as CRI text": {"json-parser"},
    "a line that does not parse is shipped all the same": {"unmatched-lines"},
    "parts of a line are joined first, then lines": {"split-lines"},
    "lines are joined with newlines": {"glued-lines"},
    "stdout and stderr are told apart": {"mixed-streams"},
    "a joined event has its first line's time": {"late-time"},
    "streams are named after the whole file": {"cut-stream-names"},
    "metadata that nobody wants is not fetched": {"costly-metadata", "metadata-watch"},
    "logs of the node are given no metadata": {"host-metadata"},
    "units are those of today, by today's key": {"systemd-filters", "gone-units"},
    "the node's logs come from the journal": {"host-files"},
    "positions and buffers are on the node, /var/log is only read": {"writable-logs"},
    "buffers are files": {"memory-buffer"},
    "a full buffer blocks, and has a bound": {"full-buffer", "unbounded-buffer"},
    "retries never discard": {"gives-up", "throttled"},
    "refused events are heard of": {"silent-rejects"},
    "an event has a bound": {"event-size"},
    "Docker's folder is not mounted": {"docker-paths"},
    "images are exact, no helper copies files": {"moving-image", "old-image"},
    "a change of the configuration rolls the pods": {"no-roll"},
    "what the pods need is in the manifest": {"config-map-elsewhere"},
    "rights are those that exist": {"no-such-resource"},
    "every node, first in line, confined, watched": {"tainted-nodes", "no-priority", "unconfined", "no-liveness"},
    "a short-lived pod's file is found": {"refresh-interval"},
    "a role of its own": {"role-not-seen"},
    "Fluentd's own log has its label": {"own-log"},
    "buffers in today's names": {"old-buffer-keys"},
}
"""What a manifest of 2020 has to decide anew on a node with containerd, and the rules that say so."""


@pytest.mark.parametrize("rules", DECISIONS.values(), ids=DECISIONS)
def test_the_classic_form_fails_by_each_decision(rules: set[str]) -> None:
    assert rules <= names(CLASSIC)


def test_the_classic_form_has_no_other_mistakes() -> None:
    assert names(CLASSIC) == set.union(*DECISIONS.values())


def test_a_parser_in_a_variable_mends_one_mistake() -> None:
    assert names(CLASSIC) - names(PATCHED) == {"json-parser", "metadata-watch"}
    assert names(PATCHED) < names(CLASSIC)


def test_it_says_where() -> None:
    (finding,) = found(changed((CRI, "        @type json\n")))
    spot = finding.spot
    assert (spot.object, spot.file, spot.at) == ("ConfigMap logging/conf-0123456789", "in.conf", "<parse> json")
    lines = documents(GOOD)[2]["data"]["in.conf"].split("\n")
    assert lines[spot.line - 1].strip() == "<parse>"


def test_a_parameter_has_its_own_line() -> None:
    (finding,) = found(changed(("refresh_interval 10", "refresh_interval 1m")))
    lines = documents(GOOD)[2]["data"]["in.conf"].split("\n")
    assert lines[finding.spot.line - 1].strip() == "refresh_interval 10"
    assert finding.spot.at == "<source> refresh_interval 1m"


def test_what_all_workers_have_is_found_once() -> None:
    workers = "".join(f"    <worker {number}>\n    </worker>\n" for number in range(2))
    found_in_both = changed((CRI, "        @type json\n"), ("  in.conf: |\n", "  in.conf: |\n" + workers))
    assert [finding.rule for finding in found(found_in_both)] == ["json-parser"]


def test_the_worst_comes_first() -> None:
    order = [list(Severity).index(finding.severity) for finding in found(CLASSIC)]
    assert order == sorted(order)
    assert len(set(order)) == len(Severity)


BIT = r"""
apiVersion: v1
kind: ConfigMap
metadata: {name: bit, namespace: logging}
data:
  fluent-bit.conf: |
    [SERVICE]
        storage.path  /var/lib/bit/buffer
    @INCLUDE other.conf
    [INPUT]
        Name              tail
        Path              /var/log/containers/*.log
        multiline.parser  docker, cri
        DB                /var/lib/bit/db
        storage.type      filesystem
    [OUTPUT]
        Name         cloudwatch_logs
        Match        *
        Retry_Limit  no_limits
"""
BIT_FAULTS: list[tuple[str, Changes]] = [
    ("bit-no-cri", (("multiline.parser  docker, cri", "Parser  docker"),)),
    ("bit-split-lines", (("multiline.parser  docker, cri", "Parser  cri"),)),
    ("bit-memory", (("        storage.type      filesystem\n", ""),)),
    ("bit-no-position", (("        DB                /var/lib/bit/db\n", ""),)),
    ("bit-gives-up", (("        Retry_Limit  no_limits\n", ""),)),
]


@pytest.mark.parametrize(("rule", "changes"), BIT_FAULTS, ids=[rule for rule, _ in BIT_FAULTS])
def test_a_mistake_with_fluent_bit_is_found(rule: str, changes: Changes) -> None:
    assert names(BIT) == set()
    (finding,) = found(changed(*changes, text=BIT))
    assert finding.rule == rule
    assert finding.spot.file == "fluent-bit.conf"
    assert finding.spot.at.startswith("[OUTPUT]" if rule == "bit-gives-up" else "[INPUT]")


def test_fluent_bits_positions_are_on_the_node() -> None:
    pod = GOOD.rpartition("---")[2]
    for change, rules in (((), set()), ((("/var/lib/bit", "/tmp"),), {"bit-no-position"})):
        bit = BIT.replace("name: bit", "name: conf-0123456789").replace("/var/lib/bit/db", "/var/lib/fluentd/db")
        text = changed(*((old.replace("bit", "fluentd"), new) for old, new in change), text=bit)
        assert names(f"{text}---{pod}") - {"role-not-seen"} == rules


def test_of_a_fluent_bit_nothing_is_said_of_fluentd() -> None:
    mounted = GOOD.rpartition("---")[2].replace("conf-0123456789", "bit")
    (finding,) = [each for each in found(f"{BIT}---{mounted}") if each.rule == "no-roll"]
    assert finding.wrong == "it reads its files when it starts: a change of this ConfigMap changes no pod"


def test_fluent_bits_yaml_is_not_read() -> None:
    conf = {"kind": "ConfigMap", "metadata": {"name": "conf-0123456789", "namespace": "logging"}}
    yaml = conf | {"data": {"fluent-bit.yaml": "pipeline:\n  inputs:\n    - name: tail\n"}}
    _, findings = check([yaml, *documents(GOOD.rpartition("---")[2])])
    (finding,) = [each for each in findings if each.rule == "conf-not-seen"]
    assert "YAML" in finding.wrong


def test_a_pod_whose_configuration_is_not_here_is_checked_alone() -> None:
    pod = GOOD.rpartition("---")[2].replace("v1.19.3", "v1.7.3")
    assert names(pod) == {"old-image", "conf-not-seen", "config-map-elsewhere"}


def test_a_configuration_without_its_pod_is_checked_alone() -> None:
    conf = changed(("/var/lib/fluentd/pos", "/tmp/pos"), ("watch false", "watch true")).split("---")[2]
    assert names(conf) == {"metadata-watch"}


def test_two_agents_are_told_apart() -> None:
    agents, findings = check(documents(f"{GOOD}---{CLASSIC}"))
    assert [agent.titles[0] for agent in agents] == [
        "DaemonSet logging/fluentd",
        "DaemonSet amazon-cloudwatch/old-fluentd",
    ]
    assert {finding.spot.object.partition("/")[0] for finding in findings} == {
        "ConfigMap amazon-cloudwatch",
        "DaemonSet amazon-cloudwatch",
        "ClusterRole old-fluentd",
    }


def test_a_list_is_its_items() -> None:
    assert check([{"kind": "List", "items": documents(CLASSIC)}])[1] == found(CLASSIC)


JUNK: tuple[Any, ...] = ("", "x", [], {}, [["x"]], {"x": ["x"]})


def spoiled(value: Any) -> Iterator[Any]:
    """The value with each part of it replaced by each piece of junk."""
    yield from JUNK
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in list(parts):
        for spoilt in spoiled(part):
            copy = value.copy()
            copy[key] = spoilt
            yield copy


@pytest.mark.parametrize("text", [GOOD, CLASSIC, BIT], ids=["good", "classic", "fluent bit"])
def test_a_document_of_any_shape_ends_nothing(text: str) -> None:
    all_documents = documents(text)
    for at, document in enumerate(all_documents):
        for spoilt in spoiled(document):
            check([*all_documents[:at], spoilt, *all_documents[at + 1 :]])


@pytest.mark.parametrize("text", [GOOD, CLASSIC, BIT], ids=["good", "classic", "fluent bit"])
def test_a_configuration_cut_anywhere_ends_nothing(text: str) -> None:
    for document in documents(text):
        for name, content in document.get("data", {}).items():
            for end in range(0, len(content), 23):
                check([document | {"data": document["data"] | {name: content[:end]}}])
