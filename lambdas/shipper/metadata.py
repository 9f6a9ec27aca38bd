"""The Kubernetes metadata of records: stripped, mended and written once for all events that have the same.

A payload holds one log stream, which is one container: its events differ in their text and hardly in their metadata.
"""

from __future__ import annotations

from copy import deepcopy

from shipper import jsontext
from shipper.mend import Mender, free_names, nested_count, overflow
from shipper.model import NO_METADATA, Fields, Metadata
from shipper.redact import Redactor
from shipper.settings import Settings
from shipper.strip import Stripper

KUBERNETES = "kubernetes"
_LABELS = ("labels", "namespace_labels")


class MetadataReader:
    """Takes the metadata out of the fields of one event after the other, and remembers the last."""

    def __init__(self, settings: Settings, stripper: Stripper, redactor: Redactor | None) -> None:
        self._settings = settings
        self._stripper = stripper
        self._redactor = redactor
        self._given = b""
        self.last = NO_METADATA

    def take(self, fields: Fields) -> Metadata:
        """Take the metadata out of `fields`; what is no object stays there, without its secrets."""
        raw = fields.get(KUBERNETES)
        if type(raw) is not dict:
            if raw is not None and self._redactor:
                fields[KUBERNETES], _ = self._redactor.value(raw)
            return NO_METADATA
        del fields[KUBERNETES]
        # As text: to Python, 1 and True are equal.
        if (given := jsontext.dumps(raw)) != self._given:
            self.last = self._make(deepcopy(raw))
            self._given = given
        return self.last

    def _make(self, kubernetes: Fields) -> Metadata:
        holder: Fields = {KUBERNETES: kubernetes}
        taken = self._stripper.strip(holder)
        stripped, stripped_bytes = tuple(one.path for one in taken), sum(one.size_bytes for one in taken)
        if KUBERNETES not in holder:
            return NO_METADATA._replace(stripped=stripped, stripped_bytes=stripped_bytes)
        if self._settings.dedot:
            _dedot_labels(kubernetes)
        if self._redactor:
            kubernetes, _ = self._redactor.value(kubernetes)
        made = Metadata(kubernetes, None, stripped=stripped, stripped_bytes=stripped_bytes)
        return self._mended(made) if self._settings.mend else made._replace(written=jsontext.fragment(kubernetes))

    def _mended(self, made: Metadata) -> Metadata:
        """The metadata as the mapping takes it: labels are objects, and the rest is as in any other field."""
        kubernetes, kinds, room = made.fields, set(), self._settings.max_depth - 1
        aside = {
            f"{KUBERNETES}.{key}": kubernetes[key] for key in _LABELS if not isinstance(kubernetes.get(key, {}), dict)
        }
        if aside:
            kubernetes = {key: value for key, value in kubernetes.items() if f"{KUBERNETES}.{key}" not in aside}
            kinds.add(KUBERNETES)
        count = nested_count(kubernetes, room)
        if count < 0:
            mender = Mender(self._settings.max_depth)
            kubernetes = mender.nested(kubernetes)
            kinds |= mender.kinds
            count = nested_count(kubernetes, room)
        if count > self._settings.max_fields // 2:
            taken = overflow(kubernetes, self._settings.max_fields // 2)
            aside |= {f"{KUBERNETES}.{key}": value for key, value in taken.items()}
            kinds.add("fields")
            count = nested_count(kubernetes, room)
        return made._replace(
            fields=kubernetes,
            written=jsontext.fragment(kubernetes),
            field_count=count,
            fixed=tuple(sorted(kinds)),
            aside=aside,
        )


def _dedot_labels(kubernetes: Fields) -> None:
    """`app` and `app.kubernetes.io/name` cannot live in one mapping: the one is a text, the other an object."""
    for key in _LABELS:
        labels = kubernetes.get(key)
        if isinstance(labels, dict):
            names = free_names({name: name.replace(".", "_") for name in labels if "." in name}, labels)
            kubernetes[key] = {names.get(name, name): value for name, value in labels.items()}
