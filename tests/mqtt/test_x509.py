"""The dates of a certificate are read as the issuer wrote them, and of nothing else."""

from __future__ import annotations

import ssl
import subprocess
from datetime import UTC, datetime

import pytest
import trustme

from gateway.mqtt.x509 import NoValidity, certificates_in, validity_of

TIMES = [
    (datetime(1970, 1, 1, tzinfo=UTC), datetime(1999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    (datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, 12, 30, 15, tzinfo=UTC)),
    (datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(2050, 1, 1, tzinfo=UTC)),
    (datetime(2050, 1, 1, tzinfo=UTC), datetime(2099, 2, 28, 1, 2, 3, tzinfo=UTC)),
    (datetime(2000, 2, 29, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
]


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.mark.parametrize(("not_before", "not_after"), TIMES)
def test_the_dates_are_those_that_were_written(authority, not_before, not_after):
    """Up to 2049 as UTCTime, from 2050 on as GeneralizedTime (RFC 5280, section 4.1.2.5)."""
    issued = authority.issue_cert("gw", not_before=not_before, not_after=not_after)
    (der,) = certificates_in(issued.cert_chain_pems[0].bytes())

    assert validity_of(der) == (not_before, not_after)
    assert (b"Z\x18\x0f" in der or b"\x18\x0f" in der) is (not_after.year >= 2050)


def test_the_dates_are_those_that_openssl_reads(tmp_path):
    file = tmp_path / "cert.pem"
    made = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 400 -subj /CN=x"
    )
    subprocess.run(
        [*made.split(), "-keyout", str(tmp_path / "key.pem"), "-out", str(file)],
        check=True,
        capture_output=True,
    )
    (der,) = certificates_in(file.read_bytes())
    decoded = ssl._ssl._test_decode_cert(str(file))

    assert [at.timestamp() for at in validity_of(der)] == [
        ssl.cert_time_to_seconds(decoded[key]) for key in ("notBefore", "notAfter")
    ]


def test_all_certificates_of_a_file_are_found_whatever_stands_between(authority):
    chain = authority.issue_cert("gw")
    leaf, key, root = (
        chain.cert_chain_pems[0].bytes(),
        chain.private_key_pem.bytes(),
        authority.cert_pem.bytes(),
    )
    text = b"a word before\n" + leaf + key + b"# CN=authority\r\n" + root.replace(b"\n", b"\r\n")

    assert certificates_in(text) == [*certificates_in(leaf), *certificates_in(root)]
    assert len(certificates_in(text)) == 2
    assert certificates_in(key) == certificates_in(b"") == []


def test_a_certificate_whose_base64_is_damaged_is_none():
    (der,) = certificates_in(b"-----BEGIN CERTIFICATE-----\nAAAAA\n-----END CERTIFICATE-----\n")

    with pytest.raises(NoValidity):
        validity_of(der)


def test_what_is_cut_short_or_bent_is_no_certificate_or_another_date_and_no_error(authority):
    (der,) = certificates_in(authority.issue_cert("gw").cert_chain_pems[0].bytes())
    place = der.index(b"\x17\x0d")

    for size in range(place + 30):
        with pytest.raises(NoValidity):
            validity_of(der[:size])
    for at in range(place + 30):
        for bit in range(8):
            bent = bytes([*der[:at], der[at] ^ 1 << bit, *der[at + 1 :]])
            try:
                before, after = validity_of(bent)
            except NoValidity:
                continue
            assert before.tzinfo is after.tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [b"2611010000Z", b"261101000000+0100", b"261301000000Z", b"26110100000\xb2Z", b""],
    ids=["no seconds", "zone", "month 13", "digit", "empty"],
)
def test_a_time_in_another_form_is_refused(text):
    def element(tag, content):
        return bytes((tag, len(content))) + content

    good = element(0x17, b"261101000000Z")
    validity = element(0x30, element(0x17, text) + good)
    der = element(0x02, b"\x01") + element(0x30, b"") + element(0x30, b"") + validity
    with pytest.raises(NoValidity):
        validity_of(element(0x30, element(0x30, der)))

    whole = element(0x02, b"\x01") + element(0x30, b"") * 2 + element(0x30, good + good)
    assert validity_of(element(0x30, element(0x30, whole)))[0].year == 2026


def test_an_endless_length_is_refused():
    with pytest.raises(NoValidity):
        validity_of(b"\x30\x80\x30\x80" + b"\x00" * 100)
    with pytest.raises(NoValidity):
        validity_of(b"\x30\xff" + b"\xff" * 200)
