"""What the command line leaves open, from the account and from what is usual."""

from __future__ import annotations

from typing import Any

__all__ = ["fill_in"]

_SERVICE = "sip:urn:service:"

_SAME_NAME = ("user", "registrar", "proxy", "ca", "relay", "relay_unproven", "save")
"""Options that are called as they are in an account."""


def fill_in(options: dict[str, Any]) -> None:
    """Put into options what isn't said.

    Raises:
        ChatError: The file of accounts can't be used, or there is no password.
    """
    from msrp_chat.command_line.accounts import find_password, read_account

    account = read_account(options.pop("config"), options.pop("account"))
    _split_service(options)
    for name in _SAME_NAME:
        if name in options and options[name] is None:
            options[name] = getattr(account, name)
    if options["sender"] is None:
        options["sender"] = account.address
    options["tls"] = bool(options["tls"] if options["tls"] is not None else account.tls)
    if options["cert"] is None and (options["tls"] or options.get("sips_port")):
        options["cert"], options["key"] = account.cert, account.key
    options["relay_unproven"] = bool(options["relay_unproven"])
    options["password"] = None if options["user"] is None else find_password(account)
    options["relay_user"] = account.relay_user or options["user"]
    options["relay_password"] = account.relay_password or options["password"]


def _split_service(options: dict[str, Any]) -> None:
    """Read ``sip:urn:service:sos@HOST`` as the service, with a proxy at the host."""
    uri = options.get("uri")
    if uri is not None and uri.lower().startswith(_SERVICE) and "@" in uri:
        service, _, host = uri.rpartition("@")
        options["uri"] = service.partition(":")[2]
        options["proxy"] = options["proxy"] or f"sip:{host}"
