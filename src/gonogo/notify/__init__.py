"""Ways to tell people: each one kind of channel with its address; what they do is to send once."""

from __future__ import annotations

from collections.abc import Mapping

from gonogo.plan.notices import Beat, Way

_TRUSTED = ("SSL_CERT_FILE", "CURL_CA_BUNDLE")


def way_of(
    kind: str, address: str, variables: Mapping[str, str], *, smtp: str = "", sender: str = ""
) -> Way:
    """Return the way for a channel whose address is bound; loads only what that kind needs.

    `variables` is the environment: trusted certificates may be named there.

    Raises:
        KeyError: there is no such kind of channel.
    """
    trusted = _trusted(variables)
    if kind == "mail":
        from gonogo.notify.mail import Mail

        return Mail(address, smtp or "smtp://localhost", sender)
    if kind == "apprise":
        from gonogo.notify.apprise import Apprise

        return Apprise(address)
    from gonogo.notify.webhook import PagerDuty, Slack, Webhook

    if kind == "slack":
        return Slack(address, trusted=trusted)
    if kind == "page":
        return PagerDuty(address, trusted=trusted)
    if kind == "webhook":
        return Webhook(address, trusted=trusted)
    raise KeyError(kind)


def beat_of(address: str, variables: Mapping[str, str]) -> Beat:
    """Return what tells an address, which is bound, that a run is carried."""
    from gonogo.notify.webhook import Heartbeat

    return Heartbeat(address, trusted=_trusted(variables))


def _trusted(variables: Mapping[str, str]) -> str:
    return next((variables[name] for name in _TRUSTED if variables.get(name)), "")
