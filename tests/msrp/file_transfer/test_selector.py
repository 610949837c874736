from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mime import ContentType
from msrp.errors import InvalidFileDescription
from msrp.file_transfer import FileFacts, FileHash, FileSelector

HASH = "72:24:5F:E8:65:3D:DA:F3:71:36:2F:86:D4:71:91:3E:E4:A2:CE:2E"
SHA1 = bytes.fromhex(HASH.replace(":", ""))
JPEG = ContentType("image", "jpeg")
RFC = f'name:"My cool picture.jpg" type:image/jpeg size:32349 hash:sha-1:{HASH}'


@pytest.mark.rule("FT-2")
def test_the_example_of_the_rfc_is_read_and_written_as_it_is() -> None:
    selector = FileSelector.parse(RFC)
    assert selector == FileSelector(
        "My cool picture.jpg", 32349, JPEG, (FileHash.sha1(SHA1),)
    )
    assert selector.sha1 == SHA1
    assert str(selector) == RFC


@pytest.mark.rule("FT-1")
def test_one_that_selects_nothing_says_only_that_we_know_of_files() -> None:
    assert not FileSelector.parse("")
    assert str(FileSelector()) == ""
    assert FileSelector(size=1)


@pytest.mark.rule("FT-2")
@pytest.mark.parametrize(
    ("text", "selector"),
    [
        pytest.param("size:1", FileSelector(size=1), id="size"),
        pytest.param("SIZE:1", FileSelector(size=1), id="upper-case"),
        pytest.param("  size:1  ", FileSelector(size=1), id="spaces"),
        pytest.param("type:image/jpeg", FileSelector(type=JPEG), id="type"),
        pytest.param(
            'type:text/plain;charset="utf-8";x="a;b c%22"',
            FileSelector(
                type=ContentType(
                    "text", "plain", (("charset", "utf-8"), ("x", 'a;b c"'))
                )
            ),
            id="parameters",
        ),
        pytest.param(
            "type:text/plain;charset=utf-8",
            FileSelector(type=ContentType("text", "plain", (("charset", "utf-8"),))),
            id="a-parameter-without-quotes",
        ),
        pytest.param(
            f"hash:sha-1:{HASH.lower()}",
            FileSelector(hashes=(FileHash.sha1(SHA1),)),
            id="a-hash-in-lower-case",
        ),
        pytest.param(
            f"hash:sha-256:01:FF hash:sha-1:{HASH} hash:new:00",
            FileSelector(
                hashes=(
                    FileHash("sha-256", b"\x01\xff"),
                    FileHash.sha1(SHA1),
                    FileHash("new", b"\0"),
                )
            ),
            id="several-hashes",
        ),
        pytest.param('name:"100%.txt"', FileSelector("100%.txt"), id="bare-percent"),
        pytest.param('name:"%C3%A9"', FileSelector("é"), id="encoded-utf-8"),
    ],
)
def test_it_is_read(text: str, selector: FileSelector) -> None:
    assert FileSelector.parse(text) == selector
    assert FileSelector.parse(str(selector)) == selector


@pytest.mark.rule("FT-3")
@pytest.mark.parametrize(
    ("name", "written"),
    [
        ('a "b".txt', 'name:"a %22b%22.txt"'),
        ("50%", 'name:"50%25"'),
        ("a\r\n\0b", 'name:"a%0D%0A%00b"'),
        ("../etc/passwd", 'name:"..%2Fetc%2Fpasswd"'),
        ("C:\\boot", 'name:"C:%5Cboot"'),
        ("Grüße 🙂", 'name:"Grüße 🙂"'),
        (b"\xff.txt".decode("utf-8", "surrogateescape"), 'name:"%FF.txt"'),
    ],
)
def test_what_may_not_stand_in_a_name_is_encoded(name: str, written: str) -> None:
    selector = FileSelector(name)
    assert str(selector) == written
    assert FileSelector.parse(written).name == name


@pytest.mark.rule("FT-3")
@pytest.mark.parametrize(
    ("written", "safe"),
    [
        ("..%2Fetc%2Fpasswd", "passwd"),
        ("..", "file"),
        ("C:%5Cwindows%5Cwin.ini", "win.ini"),
        ("con", "_con"),
        (".bashrc", "bashrc"),
        ("%00%0D", "file"),
        ("/", "file"),
    ],
)
def test_a_peer_can_t_choose_where_a_file_goes(written: str, safe: str) -> None:
    assert FileSelector.parse(f'name:"{written}"').filename == safe


@pytest.mark.rule("FT-2")
@pytest.mark.parametrize(
    "text",
    [
        "size",
        "size:",
        "size:0",
        "size:-1",
        "size:1.5",
        "size:٣",
        "size:" + 19 * "9",
        "size:1 size:1",
        "name:x",
        'name:"',
        'name:""',
        'name:"a"b"',
        'name:"a',
        "type:image",
        "type:image/jpeg;q",
        'type:image/jpeg;q=""',
        'type:image/jpeg;q="a',
        "hash:sha-1",
        "hash:sha-1:",
        "hash:sha-1:00",
        f"hash:sha-1:{HASH}:00",
        "hash:sha-256:0",
        "hash:sha-256:0:0",
        "hash:sha-256:٠٠",
        "hash::00",
        "owner:me",
        " ".join(17 * ["hash:new:00"]),
    ],
)
def test_what_can_t_be_understood_is_refused(text: str) -> None:
    with pytest.raises(InvalidFileDescription):
        FileSelector.parse(text)


@pytest.mark.parametrize(
    ("name", "size"), [("", None), ("\ud800", None), (None, 0), (None, -1)]
)
def test_what_can_t_be_written_is_refused(name: str | None, size: int | None) -> None:
    with pytest.raises(InvalidFileDescription):
        FileSelector(name, size)


FILES = [
    FileFacts("a.jpg", 10, JPEG, b"a" * 20),
    FileFacts("b.jpg", 10, JPEG, b"b" * 20),
    FileFacts("c.txt", 11, ContentType("text", "plain"), b"c" * 20),
    FileFacts("d.bin"),
]


@pytest.mark.rule("FT-9")
@pytest.mark.parametrize(
    ("selector", "names"),
    [
        (FileSelector("a.jpg"), ["a.jpg"]),
        (FileSelector(size=10), ["a.jpg", "b.jpg"]),
        (FileSelector(type=JPEG), ["a.jpg", "b.jpg"]),
        (FileSelector(size=10, hashes=(FileHash.sha1(b"b" * 20),)), ["b.jpg"]),
        (FileSelector("a.jpg", hashes=(FileHash.sha1(b"b" * 20),)), []),
        (FileSelector("d.bin", size=10), []),
        (
            FileSelector(type=ContentType("text", "plain", (("charset", "x"),))),
            ["c.txt"],
        ),
        (
            FileSelector(hashes=(FileHash("new", b"x"),)),
            ["a.jpg", "b.jpg", "c.txt", "d.bin"],
        ),
        (FileSelector(), ["a.jpg", "b.jpg", "c.txt", "d.bin"]),
    ],
)
def test_each_selector_has_to_match(selector: FileSelector, names: list[str]) -> None:
    assert [file.name for file in selector.choose(FILES)] == names


def test_a_name_matches_however_its_accents_are_written() -> None:
    assert FileSelector("e\u0301").matches(FileFacts("\u00e9"))


@pytest.mark.rule("FT-6")
def test_saying_more_of_a_file_is_no_contradiction() -> None:
    less, more = FileSelector("a.jpg"), FileSelector("a.jpg", 10, JPEG)
    assert not less.contradicts(more)
    assert not more.contradicts(less)
    assert less.completed(more) == more
    assert FileSelector("b.jpg").contradicts(more)
    assert FileSelector(size=11).contradicts(more)


def test_facts_make_a_selector_and_a_selector_says_facts() -> None:
    for file in FILES:
        assert FileSelector.of(file).facts == file
    assert FileSelector.of(FileFacts("", 0)) == FileSelector()


names = st.text(
    st.characters(codec="utf-8") | st.characters(min_codepoint=0, max_codepoint=127),
    min_size=1,
    max_size=20,
)
tokens = st.text("abcxyz019-", min_size=1, max_size=6)
values = st.text(
    st.characters(min_codepoint=32, exclude_characters="\x7f", codec="utf-8"),
    min_size=1,
    max_size=8,
).filter(lambda text: not any("\x80" <= c < "\xa0" for c in text))
types = st.builds(
    ContentType,
    tokens,
    tokens,
    st.lists(st.tuples(tokens, values), max_size=3).map(tuple),
)
hashes = st.builds(FileHash.sha1, st.binary(min_size=20, max_size=20)) | st.builds(
    FileHash, tokens.filter(lambda name: name != "sha-1"), st.binary(min_size=1)
)
selectors = st.builds(
    FileSelector,
    st.none() | names,
    st.none() | st.integers(1, 10**18 - 1),
    st.none() | types,
    st.lists(hashes, max_size=3).map(tuple),
)


@given(selectors)
def test_what_is_written_is_read_as_the_same(selector: FileSelector) -> None:
    assert FileSelector.parse(str(selector)) == selector


@given(st.text(max_size=60) | st.text(' :"%;=/abcdefnamsizehtyp0129\\', max_size=80))
def test_anything_is_read_or_refused(text: str) -> None:
    try:
        selector = FileSelector.parse(text)
    except InvalidFileDescription:
        return
    assert FileSelector.parse(str(selector)) == selector


@given(selectors, st.data())
def test_a_spoilt_selector_is_read_or_refused(
    selector: FileSelector, data: st.DataObject
) -> None:
    text = str(selector)
    at = data.draw(st.integers(0, len(text)))
    spoilt = text[:at] + data.draw(st.text(max_size=3)) + text[at + 1 :]
    try:
        found = FileSelector.parse(spoilt)
    except InvalidFileDescription:
        return
    assert FileSelector.parse(str(found)) == found


@pytest.mark.parametrize("piece", ['"', "a:", 'name:"a" ', "hash:a:00 ", ";", " "])
def test_a_long_value_takes_no_longer_than_it_is_long(piece: str) -> None:
    with pytest.raises(InvalidFileDescription):
        FileSelector.parse(piece * 100_000 + "x")
