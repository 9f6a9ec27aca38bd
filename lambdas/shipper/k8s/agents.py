"""Who ships logs, in the documents of manifests: a pod template with the configuration that is mounted into it.

The documents are a user's own: nothing is taken for granted but that they are plain data. Scalars are text, as
`yaml.BaseLoader` gives them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shipper.k8s import fluentd_conf
from shipper.k8s.findings import Spot
from shipper.k8s.fluentd_conf import Parsed, Place, Section

Document = Mapping[str, Any]

_WORKLOADS = frozenset({"DaemonSet", "Deployment", "StatefulSet"})
_BIT_SECTION = re.compile(r"^[ \t]*\[(\w+)\][ \t]*$", re.MULTILINE)
# Not `[SERVICE]`, which a systemd unit has, too.
_BIT_SECTIONS = frozenset({"input", "filter", "output"})
_MAX_NAME_CHARS = 200


def mapping(value: Any) -> Document:
    """The value if it is an object, else one without keys."""
    return value if isinstance(value, Mapping) else {}


def items(value: Any) -> list[Document]:
    """The objects of a list."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def text(value: Any) -> str:
    """The value if it is text, else ""."""
    return value if isinstance(value, str) else ""


def path(value: Any, *keys: str) -> Any:
    """What stands below these keys, None where nothing does."""
    for key in keys:
        value = mapping(value).get(key)
    return value


def is_true(value: Any) -> bool:
    """Whether YAML 1.1 takes the text for true."""
    return text(value).lower() in {"true", "yes", "on"}


def is_false(value: Any) -> bool:
    """Whether YAML 1.1 takes the text for false; a missing value is not false."""
    return text(value).lower() in {"false", "no", "off"}


def kind(document: Document) -> str:
    """`DaemonSet`, `ConfigMap` …"""
    return text(document.get("kind"))


def title(document: Document) -> str:
    """`DaemonSet logging/fluentd`."""
    metadata = mapping(document.get("metadata"))
    name = "/".join(filter(None, (text(metadata.get("namespace")), text(metadata.get("name")))))
    return f"{kind(document)} {name[:_MAX_NAME_CHARS]}".rstrip()


@dataclass(frozen=True, slots=True)
class Mount:
    """A folder in the container; `source` is the path on the node or the name of the ConfigMap."""

    path: str
    kind: str
    source: str
    read_only: bool

    @property
    def survives(self) -> bool:
        """Whether what is written there is there after the pod."""
        return self.kind in {"hostPath", "persistentVolumeClaim"} and not self.read_only


@dataclass(frozen=True, slots=True)
class Workload:
    """A DaemonSet and the like; `container` is the one that ships logs."""

    document: Document
    container: Document

    @property
    def title(self) -> str:
        return title(self.document)

    @property
    def template(self) -> Document:
        """Metadata and spec of its pods."""
        return mapping(path(self.document, "spec", "template"))

    @property
    def pod(self) -> Document:
        """The spec of its pods."""
        return mapping(self.template.get("spec"))

    def containers(self) -> list[Document]:
        """All of them, with the init containers."""
        return [*items(self.pod.get("initContainers")), *items(self.pod.get("containers"))]

    def variables(self) -> dict[str, Document]:
        """What the container's environment is made of, by the variables' names."""
        return {text(variable.get("name")): variable for variable in items(self.container.get("env"))}

    def mounts(self) -> Iterator[Mount]:
        """What is mounted into the container, as far as it can be seen."""
        volumes = {text(volume.get("name")): volume for volume in items(self.pod.get("volumes"))}
        for mount in items(self.container.get("volumeMounts")):
            volume = volumes.get(text(mount.get("name")), {})
            read_only = is_true(mount.get("readOnly"))
            for name, source in _sources(volume):
                yield Mount(text(mount.get("mountPath")).rstrip("/"), name, source, read_only)

    def mount_of(self, file: str) -> Mount | None:
        """The mount that a path in the container is on."""
        around = [mount for mount in self.mounts() if file == mount.path or file.startswith(f"{mount.path}/")]
        return max(around, key=lambda mount: len(mount.path), default=None)

    def spot(self, at: str = "") -> Spot:
        """A place in it."""
        return Spot(self.title, at=at)


@dataclass(frozen=True, slots=True)
class Agent:
    """One shipper of logs. Without a `workload` its configuration alone is known, and the other way round.

    `conf` has Fluentd's sections, or one `[input]`, `[output]` … for each of Fluent Bit's, with keys in lower case;
    `root` what one of its workers runs of that.
    """

    workload: Workload | None
    conf: Parsed
    owners: Mapping[str, str]
    documents: Sequence[Document]
    root: Section

    def by_worker(self) -> list[Agent]:
        """The agent as each of its workers runs it."""
        return [replace(self, root=root) for root in fluentd_conf.by_worker(self.conf.root)]

    @property
    def titles(self) -> list[str]:
        """The objects that it is made of."""
        workload = [self.workload.title] if self.workload else []
        return [*workload, *dict.fromkeys(self.owners.values())]

    def spot(self, section: Section, key: str = "") -> Spot:
        """A section of the configuration, or a parameter in it."""
        place = section.places.get(key, section.place)
        named = f"<{section.name} {section.argument}>".replace(" >", ">")
        if section.name.startswith("["):
            named = section.name.upper()
        plugin = section.type or section.text("name")
        said = key and f"{key} {section.text(key)}"
        return self.spot_of(place, " ".join(filter(None, (named, said or plugin))))

    def spot_of(self, place: Place, at: str = "") -> Spot:
        """A line of the configuration."""
        return Spot(self.owners.get(place.file, ""), place.file, place.line, at.partition("\n")[0][:_MAX_NAME_CHARS])


def agents(documents: Sequence[Document]) -> list[Agent]:
    """Every Fluentd and Fluent Bit: first the workloads, then configurations that no workload here mounts."""
    maps = {_key(document): document for document in documents if kind(document) == "ConfigMap"}
    confs = {key: document for key, document in maps.items() if _texts(document)}
    mounted: set[tuple[str, str]] = set()
    found = []
    for document in documents:
        if kind(document) in _WORKLOADS and (workload := _shipper(document, confs)):
            mine = {key: confs[key] for key in _mounted(workload) if key in confs}
            mounted |= set(mine)
            found.append(_agent(workload, list(mine.values()), _environment(workload, maps), documents))
    rest = [document for key, document in confs.items() if key not in mounted]
    return [*found, *(_agent(None, [document], {}, documents) for document in rest)]


def _sources(volume: Document) -> Iterator[tuple[str, str]]:
    """(kind of volume, path or name) of each source."""
    for name, source in volume.items():
        said = mapping(source)
        if name == "projected":
            for one in items(said.get("sources")):
                yield from _sources(one)
        elif name != "name":
            yield name, text(said.get("path")).rstrip("/") or text(said.get("name"))


def _key(document: Document) -> tuple[str, str]:
    metadata = mapping(document.get("metadata"))
    return text(metadata.get("namespace")), text(metadata.get("name"))


def _texts(config_map: Document) -> dict[str, str]:
    """The files of a ConfigMap, if it holds a configuration."""
    texts = {str(name): value for name, value in mapping(config_map.get("data")).items() if isinstance(value, str)}
    return texts if any(map(fluentd_conf.looks_so, texts.values())) or _is_bit(texts) else {}


def _is_bit(texts: Mapping[str, str]) -> bool:
    return any(name.lower() in _BIT_SECTIONS for content in texts.values() for name in _BIT_SECTION.findall(content))


def _shipper(document: Document, confs: Mapping[tuple[str, str], Document]) -> Workload | None:
    """The workload, if one of its containers mounts such a configuration or is named after it, at best both."""
    candidates = [Workload(document, each) for each in items(path(document, "spec", "template", "spec", "containers"))]
    mounting = [each for each in candidates if any(key in confs for key in _mounted(each))]
    named = [each for each in candidates if re.search(r"fluent[d-]", text(each.container.get("image")))]
    return next(iter([*(each for each in mounting if each in named), *mounting, *named]), None)


def _mounted(workload: Workload) -> list[tuple[str, str]]:
    namespace, _ = _key(workload.document)
    return [(namespace, mount.source) for mount in workload.mounts() if mount.kind == "configMap"]


def _environment(workload: Workload, maps: Mapping[tuple[str, str], Document]) -> dict[str, str]:
    """The variables whose values can be seen."""
    found = {}
    namespace, _ = _key(workload.document)
    for name, variable in workload.variables().items():
        value = variable.get("value")
        reference = path(variable, "valueFrom", "configMapKeyRef")
        if reference:
            held = maps.get((namespace, text(path(reference, "name"))), {})
            value = path(held, "data", text(path(reference, "key")))
        if isinstance(value, str):
            found[name] = value
    return found


def _agent(
    workload: Workload | None,
    config_maps: Sequence[Document],
    environment: Mapping[str, str],
    documents: Sequence[Document],
) -> Agent:
    texts: dict[str, str] = {}
    owners: dict[str, str] = {}
    for config_map in config_maps:
        for name, content in _texts(config_map).items():
            texts[name] = fluentd_conf.resolved(content, environment)
            owners[name] = title(config_map)
    if _is_bit(texts):
        conf = Parsed(_bit(texts), (), ())
    else:
        mains = [name for name in fluentd_conf.main_files(texts) if fluentd_conf.looks_so(texts[name])]
        conf = fluentd_conf.parse(texts, *mains)
    return Agent(workload, conf, owners, documents, conf.root)


def _bit(texts: Mapping[str, str]) -> Section:
    """Fluent Bit's classic form: https://docs.fluentbit.io/manual/administration/configuring-fluent-bit/classic-mode."""
    root = Section("ROOT")
    for name, content in texts.items():
        section = root
        for number, line in enumerate(map(str.strip, content.split("\n")), 1):
            if opening := _BIT_SECTION.fullmatch(line):
                section = Section(f"[{opening[1].lower()}]", place=Place(name, number))
                root.sections.append(section)
            elif line and not line.startswith(("#", "@")):
                key, value = (*line.split(None, 1), "")[:2]
                section.parameters[key.lower()] = value
                section.places[key.lower()] = Place(name, number)
    return root
