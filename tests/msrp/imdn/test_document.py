from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpim import Subject
from markup import MarkupError
from msrp.imdn import MAX_OCTETS, DispositionStatus, DispositionType, Imdn

DELIVERY, PROCESSING, DISPLAY = DispositionType

OF_THE_RFC = b"""\
<?xml version="1.0" encoding="UTF-8"?>
<imdn xmlns="urn:ietf:params:xml:ns:imdn">
      <message-id>34jk324j</message-id>
      <datetime>2008-04-04T12:16:49-05:00</datetime>
     <recipient-uri>im:bob@example.com</recipient-uri>
      <original-recipient-uri
        >im:bob@example.com</original-recipient-uri>
      <delivery-notification>
         <status>
            <delivered/>
         </status>
      </delivery-notification>
    </imdn>
"""

FULL = Imdn(
    message_id="34jk324j",
    date_time="2008-04-04T12:16:49-05:00",
    type=DISPLAY,
    status=DispositionStatus.DISPLAYED,
    recipient_uri="im:bob@example.com",
    original_recipient_uri="im:list@example.com",
    subject=Subject("Fire & smoke", "fr"),
)


def document(
    kind: str = "delivery-notification", status: str = "<delivered/>", more: str = ""
) -> bytes:
    return (
        '<imdn xmlns="urn:ietf:params:xml:ns:imdn"><message-id>m1</message-id>'
        f"<datetime>now</datetime>{more}"
        f"<{kind}><status>{status}</status></{kind}></imdn>"
    ).encode()


@pytest.mark.rule("IMDN-4")
def test_the_example_of_the_rfc_is_read() -> None:
    assert Imdn.parse(OF_THE_RFC) == Imdn(
        message_id="34jk324j",
        date_time="2008-04-04T12:16:49-05:00",
        type=DELIVERY,
        status=DispositionStatus.DELIVERED,
        recipient_uri="im:bob@example.com",
        original_recipient_uri="im:bob@example.com",
    )


@pytest.mark.rule("IMDN-4")
def test_it_is_written_as_the_schema_has_it() -> None:
    assert bytes(FULL).decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<imdn xmlns="urn:ietf:params:xml:ns:imdn">'
        "<message-id>34jk324j</message-id>"
        "<datetime>2008-04-04T12:16:49-05:00</datetime>"
        "<recipient-uri>im:bob@example.com</recipient-uri>"
        "<original-recipient-uri>im:list@example.com</original-recipient-uri>"
        '<subject xml:lang="fr">Fire &amp; smoke</subject>'
        "<display-notification><status><displayed></displayed></status>"
        "</display-notification></imdn>"
    )
    assert Imdn.parse(bytes(FULL)) == FULL


@pytest.mark.rule("IMDN-4")
@pytest.mark.parametrize(
    ("kind", "status"),
    [
        *((DELIVERY, each) for each in ("delivered", "failed", "forbidden", "error")),
        *((DISPLAY, each) for each in ("displayed", "forbidden", "error")),
        *((PROCESSING, each) for each in ("processed", "stored", "forbidden", "error")),
    ],
)
def test_each_type_has_its_statuses(kind: DispositionType, status: str) -> None:
    read = Imdn.parse(document(kind.value, f"<{status}/>"))
    assert (read.type, read.status.value) == (kind, status)
    assert Imdn.parse(bytes(read)) == read


@pytest.mark.rule("IMDN-4")
def test_elements_that_extend_it_are_passed_over() -> None:
    more = '<x:y xmlns:x="urn:x"><message-id>m2</message-id></x:y>'
    status = '<x:how xmlns:x="urn:x">fast</x:how><delivered/>'
    read = Imdn.parse(document(status=status, more=more))
    assert (read.message_id, read.status) == ("m1", DispositionStatus.DELIVERED)


@pytest.mark.rule("IMDN-4")
def test_both_uris_are_written_or_neither() -> None:
    one = Imdn(
        message_id="m1",
        date_time="now",
        type=DELIVERY,
        status=DispositionStatus.FAILED,
        recipient_uri="im:bob@example.com",
        subject=Subject("x", "i-default"),
    )
    assert Imdn.parse(bytes(one)).original_recipient_uri == "im:bob@example.com"
    neither = Imdn(
        message_id="m1",
        date_time="now",
        type=DELIVERY,
        status=DispositionStatus.FAILED,
        subject=Subject("x", "i-default"),
    )
    assert b"uri" not in bytes(neither)
    assert b"subject" not in bytes(neither)


def test_a_status_of_another_type_cant_be_said() -> None:
    with pytest.raises(ValueError, match="nothing is displayed"):
        Imdn(
            message_id="m1",
            date_time="now",
            type=DELIVERY,
            status=DispositionStatus.DISPLAYED,
        )


def test_what_xml_cant_say_is_not_written() -> None:
    odd = Imdn(
        message_id="m1",
        date_time="a\x00b\x1fc\ufffed\ud800",
        type=DELIVERY,
        status=DispositionStatus.FAILED,
    )
    assert Imdn.parse(bytes(odd)).date_time == "a\ufffdb c\ufffdd\ufffd"


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"delivered",
        OF_THE_RFC[:-10],
        document(status=""),
        document(status="<displayed/>"),
        document(status='<delivered xmlns="urn:x"/>'),
        document("opinion-notification"),
        document().replace(b"m1", b" "),
        document().replace(b"urn:ietf:params:xml:ns:imdn", b"urn:another"),
        b'<!DOCTYPE imdn [<!ENTITY a "m1">]>' + document().replace(b"m1", b"&a;"),
        b'<!DOCTYPE imdn SYSTEM "http://x.invalid/">' + document(),
        document(more=f"<!--{'x' * MAX_OCTETS}-->"),
    ],
    ids=[
        *("empty", "text", "cut", "no status", "another type", "another namespace"),
        *("no type", "no id", "another root", "entity", "doctype", "oversize"),
    ],
)
def test_what_is_no_such_document_is_refused(octets: bytes) -> None:
    with pytest.raises(MarkupError):
        Imdn.parse(octets)


@given(st.binary(max_size=300))
@settings(deadline=None, max_examples=100)
def test_any_octets_are_read_or_refused(octets: bytes) -> None:
    check(octets)


@given(
    at=st.integers(0, 520),
    drop=st.integers(0, 20),
    put=st.sampled_from(
        [b"", b"<", b">", b"&", b"\xff", b"\xc2\x85", b"&#13;", b"<failed/>", b"xmlns"]
    ),
)
@settings(deadline=None, max_examples=200)
def test_what_is_read_can_be_written_and_read_again(
    at: int, drop: int, put: bytes
) -> None:
    octets = bytes(FULL)
    check(octets[:at] + put + octets[at + drop :])


def check(octets: bytes) -> None:
    try:
        read = Imdn.parse(octets)
    except MarkupError:
        return
    again = Imdn.parse(bytes(read))
    assert again.message_id == read.message_id
    assert (again.type, again.status) == (read.type, read.status)
    assert Imdn.parse(bytes(again)) == again
