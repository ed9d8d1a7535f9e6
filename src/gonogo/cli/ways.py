"""From the contacts of a runbook to ways that can send, with their addresses bound."""

from __future__ import annotations

from collections.abc import Mapping

from gonogo.notify import beat_of, way_of
from gonogo.plan.notices import Way
from gonogo.plan.receivers import OFF, Receivers
from gonogo.run.bindings import expand
from gonogo.run.heart import Heart
from gonogo.run.scene import Scene


def bound_ways(
    receivers: Receivers, variables: Mapping[str, str], *, only: str | None = None
) -> dict[tuple[str, str], Way]:
    """Return a way for each contact and channel; a channel bound to `off` is left out."""
    smtp, sender = expand(receivers.smtp, variables), expand(receivers.sender, variables)
    ways: dict[tuple[str, str], Way] = {}
    for contact in receivers.contacts:
        for channel in contact.channels:
            address = expand(channel.address, variables).strip()
            if only in (None, contact.name) and address.casefold() not in OFF:
                ways[contact.name, channel.kind] = way_of(
                    channel.kind, address, variables, smtp=smtp, sender=sender
                )
    return ways


def heart_of(scene: Scene, receivers: Receivers, variables: Mapping[str, str]) -> Heart | None:
    """Return what tells an outside watcher that the run is carried; None when nobody listens."""
    address = expand(receivers.heartbeat, variables).strip()
    if not address or address.casefold() in OFF:
        return None
    return Heart(scene, beat_of(address, variables), receivers.heartbeat_s)
