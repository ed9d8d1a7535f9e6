"""What others have written: JSON and addresses of any form are values or a plain refusal."""

from __future__ import annotations

import contextlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonogo.foreign import DEEPEST, address_in, json_in

REFUSED = {
    "no JSON": "<html>",
    "cut off": '{"a": [1, 2',
    "no text": b"\xff\xfe\x00",
    "nested as deep as Python goes": "[" * 900 + "]" * 900,
    "nested without end": '{"a":' * 100_000,
    "one level too deep": "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1),
    "exponent beyond decimals": '{"a": 1e99999999999999999999}',
    "exponent beyond sums": '{"a": -1e-999999999}',
    "whole number of 5000 digits": "9" * 5000,
    "fraction of 5000 digits": "0." + "1" * 5000,
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_worked_with_is_refused(case: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        json_in(REFUSED[case])


def test_numbers_are_exact_and_the_deepest_nesting_is_read() -> None:
    assert json_in(b'{"a": [1.10, 1e400, 7, null]}') == {
        "a": [Decimal("1.10"), Decimal("1e400"), 7, None]
    }
    found, depth = json_in("[" * DEEPEST + "]" * DEEPEST), 0
    while found:
        found, depth = found[0], depth + 1
    assert depth == DEEPEST - 1


@given(st.text(st.sampled_from('[]{}",:0123456789eE+-.NaNInfity\\u \ud800'), max_size=60))
def test_no_text_raises_anything_else(text: str) -> None:
    with contextlib.suppress(ValueError):
        json_in(text)


ADDRESSES = {
    "http://shop.example/": ("http", "shop.example", 80),
    "WSS://shop.example:8443/cable": ("wss", "shop.example", 8443),
    "https://shop.example": ("https", "shop.example", 443),
    "http://shop.example:99999/": ("http", "http://shop.example:99999/", 0),
    "ws://[::1": ("ws", "ws://[::1", 0),
    "nothing": ("", "nothing", 80),
}


@pytest.mark.parametrize("url", ADDRESSES)
def test_an_address_is_taken_apart_or_said_whole(url: str) -> None:
    assert address_in(url) == ADDRESSES[url]
