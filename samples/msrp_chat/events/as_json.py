"""Events as JSON objects, one per line."""

from __future__ import annotations

import dataclasses
import datetime
import json

from msrp_chat.events import calls, messages
from msrp_chat.events.event import Event

__all__ = ["from_json", "to_json"]

_EVENTS: dict[str, type[Event]] = {
    event.name: event
    for module in (calls, messages)
    for name in module.__all__
    if issubclass(event := getattr(module, name), Event)
}


def to_json(event: Event, when: datetime.datetime, **more: str | int) -> str:
    """Return an event as one line of JSON; what isn't known is left out."""
    known = {k: v for k, v in dataclasses.asdict(event).items() if v is not None}
    stamp = when.astimezone(datetime.UTC).isoformat(timespec="microseconds")
    return json.dumps({"event": event.name, "time": stamp, **more, **known})


def from_json(text: str) -> tuple[Event, datetime.datetime]:
    """Return the event that a line tells, and when it was.

    Raises:
        ValueError: It tells none.
    """
    members = json.loads(text)
    try:
        kind = _EVENTS[members.pop("event")]
        when = datetime.datetime.fromisoformat(members.pop("time"))
        members.pop("call", None)
        fields = {f.name: None for f in dataclasses.fields(kind)}
        return kind(**(fields | members)), when
    except (KeyError, TypeError, AttributeError) as exc:
        raise ValueError("no event") from exc
