"""Files that prove who is who: what is wrong with one is said, with its name."""

from __future__ import annotations

import ssl

import pytest
import trustme

from gateway.model.plan import TlsPlan
from gateway.mqtt import protection
from gateway.mqtt.bus import CredentialFault
from gateway.mqtt.credentials import password, tls_context
from gateway.mqtt.protection import Protection


@pytest.fixture
def files(tmp_path):
    """Return a folder with good and bad files in it."""
    authority = trustme.CA()
    issued = authority.issue_cert("gateway.example")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    authority.issue_cert("other.example").private_key_pem.write_to_path(tmp_path / "other.pem")
    (tmp_path / "junk").write_text("junk")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "empty").touch()
    (tmp_path / "blank").write_text("\n\n")
    return tmp_path


def test_the_broker_is_always_verified(files):
    for ca in (None, str(files / "ca.pem")):
        context = tls_context(TlsPlan(ca_file=ca))

        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
        assert context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_only_the_named_authority_is_believed(files):
    context = tls_context(TlsPlan(ca_file=str(files / "ca.pem")))

    assert context.cert_store_stats()["x509_ca"] == 1


def test_our_own_certificate_is_shown(files):
    plan = TlsPlan(cert_file=str(files / "cert.pem"), key_file=str(files / "key.pem"))

    assert tls_context(plan)


@pytest.mark.parametrize(
    ("ca", "cert", "key", "named"),
    [
        ("absent", None, None, "absent"),
        ("junk", None, None, "junk"),
        ("empty", None, None, "empty"),
        ("ca.pem", "absent", "key.pem", "absent"),
        ("ca.pem", "cert.pem", "absent", "absent"),
        ("ca.pem", "junk", "key.pem", "junk"),
        ("ca.pem", "cert.pem", "junk", "junk"),
        ("ca.pem", "cert.pem", "other.pem", "other.pem"),
        ("ca.pem", "cert.pem", None, "cert.pem"),
    ],
)
def test_a_file_that_is_no_use_is_named(files, ca, cert, key, named):
    plan = TlsPlan(
        **{
            f"{kind}_file": name and str(files / name)
            for kind, name in (("ca", ca), ("cert", cert), ("key", key))
        }
    )

    with pytest.raises(CredentialFault) as fault:
        tls_context(plan)

    assert str(files / named) in fault.value.file
    assert fault.value.reason


@pytest.mark.parametrize("text", ["s3cret", "s3cret\n", "s3cret\r\nand a remark\n"])
def test_a_password_is_the_first_line(tmp_path, text):
    file = tmp_path / "password"
    file.write_bytes(text.encode())

    assert password(str(file)) == "s3cret"


def test_a_password_keeps_its_spaces(tmp_path):
    file = tmp_path / "password"
    file.write_text(" two words \n")

    assert password(str(file)) == " two words "


@pytest.mark.parametrize("name", ["absent", "empty", "blank", "binary", "."])
def test_a_file_without_a_password_is_named(files, name):
    with pytest.raises(CredentialFault) as fault:
        password(str(files / name))

    assert fault.value.file == str(files / name)
    assert "secret" not in str(fault.value)


def test_a_file_that_is_gone_a_moment_after_it_was_taken_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(protection, "tls_context", lambda _plan: None)
    gone = str(tmp_path / "gone.pem")
    held = Protection(TlsPlan(ca_file=gone))

    with pytest.raises(CredentialFault) as fault:
        held.context()

    assert (fault.value.file, fault.value.reason) == (gone, "No such file or directory")
    assert held.refusal == str(fault.value)
