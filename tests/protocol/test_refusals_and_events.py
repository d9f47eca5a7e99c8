"""The closed lists: refusal codes and event names are exactly those of the protocol."""

from __future__ import annotations

from freehold.protocol import events, refusals

CODES = (
    "malformed unknown limit clock not-yours exists state too-late too-early not-admitted withdrawn no-funds full "
    "duplicate not-full bad-key rounds-spent bad-opening round-open replica-missing closed no-majority"
)

NAMES = (
    "instance-offered instance-joined instance-verified instance-rejected instance-retired training-requested "
    "training-approved training-ended job-open ballot-void ballot-decided job-accepted job-rejected job-missing "
    "finding payout-due operator-proposed operators-changed"
)


def test_the_refusal_codes_are_the_closed_list_of_the_protocol() -> None:
    assert sorted(refusals.CODES) == sorted(CODES.split())


def test_every_refusal_explains_itself_and_says_what_to_do_next() -> None:
    for code, explanation in refusals.CODES.items():
        assert len(explanation.meaning) > 20, code
        assert len(explanation.next) > 20, code
        assert explanation.meaning.endswith(".")
        assert explanation.next.endswith(".")


def test_the_event_names_are_the_closed_list_of_the_protocol() -> None:
    assert sorted(events.NAMES) == sorted(NAMES.split())
    constants = {value for name, value in vars(events).items() if name.isupper() and isinstance(value, str)}
    assert constants == set(events.NAMES)
