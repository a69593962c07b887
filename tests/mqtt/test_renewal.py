"""Files of certificates that change under a link: what is taken, when, and what is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest
import trustme

from gateway.model.plan import TlsPlan
from gateway.mqtt import protection, renewal
from gateway.mqtt.bus import CredentialFault
from gateway.mqtt.protection import Protection

TAKEN = "certificates.taken"


@pytest.fixture
def files(tmp_path):
    """Return the plan of a link and what puts new files there."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")

    def put(*, key=True):
        issued = authority.issue_cert("gw")
        issued.cert_chain_pems[0].write_to_path(tmp_path / "box.pem")
        if key:
            issued.private_key_pem.write_to_path(tmp_path / "box.key")

    put()
    plan = TlsPlan(
        ca_file=str(tmp_path / "ca.pem"),
        cert_file=str(tmp_path / "box.pem"),
        key_file=str(tmp_path / "box.key"),
    )
    return plan, put


def take(at):
    """Do what the first connection does."""
    at.link._renewal.protection.context()


def test_connections_are_made_anew_one_by_one_and_distress_last_and_at_rest(rig, make, files):
    plan, put = files
    order = []

    async def scene(at):
        take(at)
        at.up()
        for lane, bus in at.buses.items():
            renew = bus.renew

            async def noted(lane=lane, renew=renew):
                order.append(lane)
                await renew()

            bus.renew = noted
        at.urgent.open.clear()
        at.heard(make.mayday(1))
        await make.until(lambda: at.urgent.waiting)
        put()
        await make.until(lambda: "trial" in at.buses)
        at.buses["trial"].up()
        await make.until(lambda: len(order) == 3)
        await make.settled()
        assert "distress" not in order
        at.urgent.open.set()
        await make.until(lambda: len(order) == 4)

    state = rig(scene, receipts="rcc", tls=plan).link.state()

    assert order == ["routine", "receipts", "requests", "distress"]
    assert state.certificates_replaced == 1
    assert state.certificate_trouble is None


def test_files_that_are_not_let_in_are_tried_again_after_a_pause(rig, make, files):
    plan, put = files

    async def scene(at):
        take(at)
        at.up()
        before = at.link._renewal.protection.context()
        put()
        await make.until(lambda: "trial" in at.buses)
        first = at.buses["trial"]
        first.last_error = "refused"
        await make.until(lambda: at.link.state().certificate_trouble)
        assert at.link.state().certificate_trouble.endswith("the old ones serve on: local: refused")
        await make.settled()
        assert at.buses["trial"] is first
        assert at.link._renewal.protection.context() is before
        at.clock.passed_s += renewal.AGAIN_S
        await make.until(lambda: at.buses["trial"] is not first)
        at.buses["trial"].up()
        await make.until(lambda: at.link.state().certificates_replaced)
        assert at.link._renewal.protection.context() is not before

    assert rig(scene, tls=plan).link.state().certificate_trouble is None


def test_a_broker_that_says_nothing_ends_the_trial(rig, make, files, monkeypatch):
    monkeypatch.setattr(renewal, "TRIAL_S_MAX", 0.5)
    plan, put = files

    async def scene(at):
        take(at)
        at.up()
        put()
        await make.until(lambda: "no answer within" in (at.link.state().certificate_trouble or ""))
        assert at.link.state().certificates_replaced == 0
        assert at.urgent.connects == 1

    rig(scene, tls=plan)


def test_half_a_replacement_is_named_and_never_shown_to_the_broker(rig, make, files):
    plan, put = files

    async def scene(at):
        take(at)
        at.up()
        put(key=False)
        await make.until(lambda: "new files are not taken" in str(trouble(at)))
        assert "trial" not in at.buses
        put()
        await make.until(lambda: "trial" in at.buses)
        at.buses["trial"].up()
        await make.until(lambda: trouble(at) is None)

    assert rig(scene, tls=plan).link.state().certificates_replaced == 1


def trouble(at):
    return at.link.state().certificate_trouble


def test_a_fault_in_the_watch_over_files_costs_no_connection(rig, make, files):
    plan, _ = files

    async def scene(at):
        take(at)
        at.up()

        def failing():
            message = "no such disk"
            raise ValueError(message)

        at.link._renewal.protection.seen = failing
        await make.settled()
        at.heard(make.mayday(1))
        await make.until(lambda: at.outbox.struck == [1])

    at = rig(scene, tls=plan)

    assert any("certificates_unwatched" in str(call) for call in at.log._logger.calls)


def test_files_that_never_were_good_are_left_to_whoever_connects(rig, make, files):
    plan, put = files

    async def scene(at):
        at.up()
        put()
        await make.settled()
        assert "trial" not in at.buses

    assert rig(scene, tls=plan).link.state().certificates == {}


def test_a_file_that_is_gone_when_its_dates_are_read_is_named(files, monkeypatch):
    """It was there a moment before, when it was loaded."""
    plan, _ = files
    wanted = Protection(plan)

    def vanish(_plan):
        Path(plan.cert_file).unlink()

    monkeypatch.setattr(protection, "tls_context", vanish)
    with pytest.raises(CredentialFault, match="No such file"):
        wanted.context()

    assert wanted.refusal == f"{plan.cert_file}: No such file or directory"
    assert wanted.taken is None


def test_without_tls_nothing_is_blamed_on_a_certificate():
    plain = Protection(None)

    assert plain.doubted("closed") == "closed"
    assert (plain.refusal, plain.context()) == (None, None)


def test_a_link_without_tls_has_nothing_to_look_after(rig, make):
    async def scene(at):
        at.up()
        await make.settled()

    state = rig(scene).link.state()

    assert (state.certificates, state.certificates_replaced, state.certificate_trouble) == (
        {},
        0,
        None,
    )
