"""The chain of events: every later edit shows, at the first event that does not follow."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from gonogo.run.journal import GENESIS, Event, broken_link

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
bodies = st.dictionaries(texts, st.none() | st.booleans() | st.integers() | texts, max_size=3)


@st.composite
def chains(draw: st.DrawFn, least: int = 0) -> list[Event]:
    events: list[Event] = []
    before = GENESIS
    for seq in range(1, draw(st.integers(least, 8)) + 1):
        bare = Event(
            seq, "run", 1, draw(texts), draw(texts), draw(texts), draw(texts), 1, draw(bodies), ""
        )
        before = bare.sealed(before)
        events.append(replace(bare, hash=before))
    return events


@given(chains())
def test_an_honest_chain_is_whole(events):
    assert broken_link(events) is None


@given(chains(least=1), st.data())
def test_any_edit_shows_at_its_place(events, draw):
    place = draw.draw(st.sampled_from(range(len(events))))
    field = draw.draw(st.sampled_from(["at", "who", "kind", "item", "run"]))
    edited = list(events)
    edited[place] = replace(edited[place], **{field: getattr(edited[place], field) + "x"})
    assert broken_link(edited) == place + 1


@given(chains(least=2), st.data())
def test_an_event_that_was_taken_out_shows(events, draw):
    place = draw.draw(st.sampled_from(range(len(events) - 1)))
    assert broken_link(events[:place] + events[place + 1 :]) == place + 2


@given(chains(least=2), st.data())
def test_two_events_that_changed_places_show(events, draw):
    place = draw.draw(st.sampled_from(range(len(events) - 1)))
    events[place], events[place + 1] = events[place + 1], events[place]
    assert broken_link(events) == place + 2


@given(chains(least=1), st.data())
def test_an_edit_that_is_sealed_anew_shows_behind_it(events, draw):
    place = draw.draw(st.sampled_from(range(len(events))))
    before = events[place - 1].hash if place else GENESIS
    forged = replace(events[place], who=events[place].who + "x")
    edited = list(events)
    edited[place] = replace(forged, hash=forged.sealed(before))
    # Nothing stands behind the last event: its hash must be kept elsewhere to prove it.
    assert broken_link(edited) == (place + 2 if place + 1 < len(events) else None)


def test_the_end_that_was_cut_off_cannot_be_seen_from_the_rest():
    """Why the report prints the hash of the last event."""
    event = Event(1, "run", 1, "", "", "", "", 1, {}, "")
    assert broken_link([replace(event, hash=event.sealed(GENESIS))]) is None
