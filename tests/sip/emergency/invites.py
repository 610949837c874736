"""An emergency call with all that one may bring."""

from __future__ import annotations

import mime
from sip.message import Request

SDP = b"""v=0\r
o=- 1 1 IN IP4 192.0.2.1\r
s=-\r
c=IN IP4 192.0.2.1\r
t=0 0\r
m=audio 49170 RTP/AVP 0\r
a=hlang-send:es eu en\r
a=hlang-recv:es en\r
m=message 2855 TCP/MSRP *\r
a=path:msrp://192.0.2.1:2855/s;tcp\r
a=accept-types:message/cpim text/plain\r
a=hlang-send:es\r
"""

PIDF = b"""<?xml version="1.0" encoding="UTF-8"?>
<presence xmlns="urn:ietf:params:xml:ns:pidf"
          xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model"
          xmlns:gp="urn:ietf:params:xml:ns:pidf:geopriv10"
          xmlns:ca="urn:ietf:params:xml:ns:pidf:geopriv10:civicAddr"
          xmlns:gml="http://www.opengis.net/gml"
          xmlns:gs="http://www.opengis.net/pidflo/1.0"
          entity="pres:caller@example.com">
  <dm:device id="phone">
    <gp:geopriv>
      <gp:location-info>
        <gs:Circle srsName="urn:ogc:def:crs:EPSG::4326">
          <gml:pos>42.5463 -73.2512</gml:pos>
          <gs:radius uom="urn:ogc:def:uom:EPSG::9001">
            850.24
          </gs:radius>
        </gs:Circle>
        <ca:civicAddress xml:lang="en">
          <ca:country>US</ca:country><ca:A1>NY</ca:A1><ca:A3>New York</ca:A3>
          <ca:RD>Broadway</ca:RD><ca:HNO>123</ca:HNO><ca:FLR>2</ca:FLR>
          <ca:PC>10027-0401</ca:PC>
        </ca:civicAddress>
      </gp:location-info>
      <gp:usage-rules/>
      <gp:method>GPS</gp:method>
      <gp:provided-by>
        <x:EmergencyCallDataReference
            xmlns:x="urn:ietf:params:xml:ns:EmergencyCallData"
            purpose="EmergencyCallData.ServiceInfo" ref="https://example.com/ref2"/>
        <x:EmergencyCallDataValue
            xmlns:x="urn:ietf:params:xml:ns:EmergencyCallData">
          <c:EmergencyCallData.Comment
              xmlns:c="urn:ietf:params:xml:ns:EmergencyCallData:Comment">
            <c:Comment xml:lang="en">Fire &amp; smoke</c:Comment>
          </c:EmergencyCallData.Comment>
        </x:EmergencyCallDataValue>
      </gp:provided-by>
    </gp:geopriv>
    <dm:deviceID>mac:1234567890ab</dm:deviceID>
    <dm:timestamp>2024-06-22T20:57:29Z</dm:timestamp>
  </dm:device>
</presence>
"""

PROVIDER = b"""<?xml version="1.0" encoding="UTF-8"?>
<pi:EmergencyCallData.ProviderInfo
    xmlns:pi="urn:ietf:params:xml:ns:EmergencyCallData:ProviderInfo">
  <pi:DataProviderReference>d4b3072df09876543@[93.184.216.119]
  </pi:DataProviderReference>
  <pi:DataProviderString>Example VoIP Provider</pi:DataProviderString>
</pi:EmergencyCallData.ProviderInfo>
"""

PICTURE = bytes(range(256)) * 4

CALL_ID_URN = "urn:emergency:uid:callid:a56e556d871:bcf.psap.example"
INCIDENT_URN = "urn:emergency:uid:incidentid:nfe4a9a9efff:bcf.psap.example"

HEADERS = [
    ("Via", "SIP/2.0/TLS esrp.example;branch=z9hG4bKe"),
    ("Max-Forwards", "70"),
    ("To", "<urn:service:sos>"),
    ("From", '"Caller" <sip:caller@example.com>;tag=1'),
    ("Call-ID", "emergency-1"),
    ("CSeq", "1 INVITE"),
    ("Contact", "<sip:caller@192.0.2.1>"),
    ("P-Asserted-Identity", '"Caller" <sip:+12025550123@example.com;user=phone>'),
    ("P-Asserted-Identity", "<tel:+12025550123>"),
    ("Geolocation", "<cid:loc%40home@example.com>;x=y"),
    ("Geolocation", "<sip:lis@example.com>, <https://lis.example/357yc6s64ceyoiuy5a>"),
    ("Geolocation-Routing", "yes"),
    ("Resource-Priority", "dsn.flash, ESNET.1"),
    ("Call-Info", "<http://www.example.com/photo.jpg>;purpose=icon,"
     "<cid:provider@example.com>;purpose=EmergencyCallData.ProviderInfo"),
    ("Call-Info", "<cid:device@example.com>;purpose=EmergencyCallData.DeviceInfo"),
    ("Call-Info", "<https://example.com/s>;purpose=EmergencyCallData.SubscriberInfo"),
    ("Call-Info", "<cid:comment@example.com>;purpose=emergencycalldata.Comment"),
    ("Call-Info", f"<{CALL_ID_URN}>;purpose=emergency-CallId"),
    ("Call-Info", f"<{INCIDENT_URN}>;purpose=emergency-IncidentId"),
]  # fmt: skip


def part(content_type: str, content: bytes, content_id: str | None = None) -> mime.Part:
    fields = [("Content-Type", content_type)]
    if content_id is not None:
        fields += [
            ("Content-ID", f"<{content_id}>"),
            ("Content-Disposition", "by-reference;handling=optional"),
        ]
    return mime.Part(tuple(fields), content)


def body(
    *, pidf: bytes = PIDF, provider: bytes = PROVIDER, location_id: str = "loc@home"
) -> tuple[mime.ContentType, bytes]:
    """Make a body with parts in parts, one of them binary, one unknown."""
    inner_type, inner = mime.build_multipart(
        [
            part(
                "application/EmergencyCallData.DeviceInfo+xml", b"<d/>",
                "device@example.com",
            ),
            part("image/jpeg", PICTURE, "picture@example.com"),
        ]
    )  # fmt: skip
    return mime.build_multipart(
        [
            part("application/sdp", SDP),
            part("application/pidf+xml", pidf, f"{location_id}@example.com"),
            part(
                "application/EmergencyCallData.ProviderInfo+xml", provider,
                "provider@example.com",
            ),
            part(str(inner_type), inner),
            part(
                "application/EmergencyCallData.Comment+xml", b"<Comment/>",
                "comment@example.com",
            ),
            part("application/x-unheard-of", b"\0\1\2"),
        ]
    )  # fmt: skip


def make_invite(
    uri: str = "urn:service:sos",
    *,
    headers: list[tuple[str, str]] | None = None,
    without: tuple[str, ...] = (),
    more: list[tuple[str, str]] | None = None,
    content: tuple[mime.ContentType, bytes] | None = None,
) -> Request:
    """Make an emergency call, with some things as a test wants them."""
    chosen = HEADERS if headers is None else headers
    kept = [(name, value) for name, value in chosen if name not in without]
    content_type, octets = content or body()
    fields = kept + (more or [])
    return Request.build("INVITE", uri, fields, octets, str(content_type))
