from __future__ import annotations

import itertools

import pytest

from sdp import (
    Attribute,
    Direction,
    Languages,
    MediaDescription,
    Party,
    SdpError,
    SessionDescription,
    Setup,
    answer_languages,
    answer_setup,
    connection_roles,
    direction_of,
    languages_of,
    setup_of,
    with_direction,
)

ACTIVE, PASSIVE = Setup.ACTIVE, Setup.PASSIVE
ACTPASS, HOLDCONN = Setup.ACTPASS, Setup.HOLDCONN
SENDRECV, SENDONLY = Direction.SENDRECV, Direction.SENDONLY
RECVONLY, INACTIVE = Direction.RECVONLY, Direction.INACTIVE


def stream(*attributes: str) -> MediaDescription:
    return MediaDescription(
        "message",
        2855,
        "TCP/TLS/MSRP",
        ("*",),
        attributes=tuple(map(Attribute.parse, attributes)),
    )


def session(*lines: str) -> SessionDescription:
    head = ("v=0", "o=- 1 1 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0")
    return SessionDescription.parse("\r\n".join([*head, *lines, ""]))


@pytest.mark.rule("COM-3")
@pytest.mark.parametrize(
    ("value", "setup"),
    [
        ("active", ACTIVE),
        ("passive", PASSIVE),
        ("actpass", ACTPASS),
        ("holdconn", HOLDCONN),
        (" Active", ACTIVE),
        ("existing", None),
        ("active passive", None),
    ],
)
def test_reads_setup(value: str, setup: Setup | None) -> None:
    assert setup_of(stream(f"setup:{value}")) is setup


@pytest.mark.rule("COM-3")
def test_no_setup_is_none() -> None:
    assert setup_of(stream()) is None
    assert setup_of(stream("setup")) is None


@pytest.mark.rule("COM-3", "COM-1")
@pytest.mark.parametrize(
    ("offered", "answered", "party"),
    [
        (ACTIVE, PASSIVE, Party.OFFERER),
        (ACTPASS, PASSIVE, Party.OFFERER),
        (ACTPASS, ACTIVE, Party.ANSWERER),
        (PASSIVE, ACTIVE, Party.ANSWERER),
        (None, PASSIVE, Party.OFFERER),
        (HOLDCONN, PASSIVE, Party.OFFERER),
        (None, None, Party.OFFERER),
        (ACTIVE, None, Party.OFFERER),
        (ACTPASS, None, Party.OFFERER),
        (PASSIVE, None, Party.OFFERER),
        (ACTPASS, HOLDCONN, Party.OFFERER),
        (HOLDCONN, HOLDCONN, Party.OFFERER),
        (ACTIVE, ACTPASS, Party.OFFERER),
        (ACTPASS, ACTPASS, Party.OFFERER),
        (PASSIVE, ACTPASS, Party.ANSWERER),
    ],
)
def test_tells_who_connects(
    offered: Setup | None, answered: Setup | None, party: Party
) -> None:
    assert connection_roles(offered, answered) is party


@pytest.mark.rule("COM-3", "OA-12")
@pytest.mark.parametrize(
    ("offered", "answered"),
    [(ACTIVE, ACTIVE), (PASSIVE, PASSIVE), (None, ACTIVE), (HOLDCONN, ACTIVE)],
)
def test_two_of_the_same_kind_do_not_connect(
    offered: Setup | None, answered: Setup
) -> None:
    with pytest.raises(SdpError):
        connection_roles(offered, answered)


@pytest.mark.rule("COM-3")
@pytest.mark.parametrize(
    ("offered", "prefer_active", "answered"),
    [
        (ACTIVE, False, PASSIVE),
        (ACTIVE, True, PASSIVE),
        (PASSIVE, False, ACTIVE),
        (PASSIVE, True, ACTIVE),
        (ACTPASS, False, PASSIVE),
        (ACTPASS, True, ACTIVE),
        (None, False, PASSIVE),
        (None, True, PASSIVE),
        (HOLDCONN, False, PASSIVE),
        (HOLDCONN, True, PASSIVE),
    ],
)
def test_chooses_the_setup_of_an_answer(
    offered: Setup | None, prefer_active: bool, answered: Setup
) -> None:
    assert answer_setup(offered, prefer_active=prefer_active) is answered
    # And one of the two then connects.
    assert connection_roles(offered, answered) in Party


@pytest.mark.rule("SDP-14")
def test_the_direction_of_a_stream_comes_before_that_of_the_session() -> None:
    description = session("a=inactive", "m=audio 9 RTP/AVP 0", "a=sendrecv")
    assert direction_of(description.media[0], description) is SENDRECV
    assert direction_of(stream("x"), description) is INACTIVE
    assert direction_of(stream("x"), session()) is SENDRECV
    assert direction_of(stream()) is SENDRECV
    assert direction_of(stream("recvonly", "inactive")) is RECVONLY


@pytest.mark.rule("OA-2", "SDP-14")
@pytest.mark.parametrize("direction", Direction)
def test_a_direction_is_an_attribute(direction: Direction) -> None:
    changed = with_direction(stream("a:1", "sendonly", "inactive", "b"), direction)
    assert [str(a) for a in changed.attributes] == ["a:1", "b", direction.value]
    held = session("a=inactive")
    assert direction_of(changed, held) is direction


def test_the_other_end_sees_the_reverse() -> None:
    assert SENDONLY.reversed is RECVONLY
    assert RECVONLY.reversed is SENDONLY
    assert SENDRECV.reversed is SENDRECV
    assert INACTIVE.reversed is INACTIVE


@pytest.mark.rule("OA-9")
def test_an_answer_adds_nothing_to_the_direction_of_the_offer() -> None:
    legal = {
        SENDRECV: {SENDRECV, SENDONLY, RECVONLY, INACTIVE},
        SENDONLY: {RECVONLY, INACTIVE},
        RECVONLY: {SENDONLY, INACTIVE},
        INACTIVE: {INACTIVE},
    }
    for offered, answered in itertools.product(Direction, Direction):
        assert offered.may_be_answered(answered) is (answered in legal[offered])


@pytest.mark.rule("OA-33")
def test_reads_the_languages_of_a_stream() -> None:
    assert languages_of(stream("hlang-send:es en", "hlang-recv: ase")) == Languages(
        ("es", "en"), ("ase",)
    )
    assert languages_of(stream("hlang-send")) == Languages()


@pytest.mark.rule("OA-33")
def test_passes_over_what_is_no_language() -> None:
    media = stream("hlang-send:* es-MX ninechars en- zh_TW \u00e9s x-eightlet")
    assert languages_of(media) == Languages(("es-MX", "x-eightlet"))


@pytest.mark.rule("OA-33")
def test_languages_are_attributes_again() -> None:
    languages = Languages(("es", "en"), ("es",))
    assert list(map(str, languages.attributes)) == [
        "hlang-send:es en",
        "hlang-recv:es",
    ]
    assert Languages(recv=("es",)).attributes == (Attribute("hlang-recv", "es"),)
    assert Languages().attributes == ()


@pytest.mark.parametrize("tag", ["", "*", "e s", "subtagtoolong", "x\r\na=y"])
def test_what_is_no_language_cannot_be_said(tag: str) -> None:
    with pytest.raises(SdpError):
        Languages((tag,))


@pytest.mark.rule("OA-33")
@pytest.mark.parametrize(
    ("spoken", "chosen"),
    [
        pytest.param(("en", "es"), "es", id="the-offerer-prefers"),
        pytest.param(("EN",), "en", id="case-does-not-matter"),
        pytest.param(("en-US",), "en", id="more-special-than-offered"),
        pytest.param(("it", "de"), "it", id="nothing-in-common"),
        pytest.param(("eng",), "eng", id="a-prefix-is-not-a-subtag"),
    ],
)
def test_answers_with_one_language_for_each_direction(
    spoken: tuple[str, ...], chosen: str
) -> None:
    offered = Languages(send=("es", "en"), recv=("es", "en"))
    assert answer_languages(offered, spoken) == Languages((chosen,), (chosen,))


@pytest.mark.rule("OA-33")
def test_what_one_sends_the_other_receives() -> None:
    # As in the examples of RFC 8373 §5.4.
    assert answer_languages(Languages(send=("es", "pt")), ["pt"]) == Languages(
        recv=("pt",)
    )
    assert answer_languages(Languages(recv=("es", "pt-BR")), ["pt"]) == Languages(
        send=("pt-BR",)
    )
    assert answer_languages(Languages(), ["pt"]) == Languages()


def test_who_answers_speaks_something() -> None:
    with pytest.raises(SdpError):
        answer_languages(Languages(("es",)), [])
