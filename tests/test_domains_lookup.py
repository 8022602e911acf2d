"""What name servers say of a domain, over UDP and TCP, however oddly they say it."""

import pytest
from dns.exception import DNSException

from portal.config import Settings, SettingsError
from portal.domain.claimed_domains import PREFIX, Answer
from portal.domains.lookup import Resolver
from tests.support.dns import NONSENSE, REFUSED, SERVFAIL, SILENT
from tests.support.ports import free_port

ACME, TOKEN = "acme.example", "some-token"
VALUE = PREFIX + TOKEN


def look(server, domain=ACME):
    return server.resolver.look(domain, TOKEN)


@pytest.mark.parametrize(
    ("records", "answer"),
    [
        ([VALUE], Answer.FOUND),
        (["v=spf1 -all", VALUE, "other"], Answer.FOUND),
        ([(VALUE[:7], VALUE[7:])], Answer.FOUND),
        ([f" {VALUE} "], Answer.FOUND),
        ([f'"{VALUE}"'], Answer.FOUND),
        ([VALUE.upper()], Answer.OTHERS),
        ([VALUE + "x"], Answer.OTHERS),
        ([TOKEN], Answer.OTHERS),
        (["v=spf1 -all"], Answer.OTHERS),
        (["caf\\233\\255"], Answer.OTHERS),
        ([], Answer.NO_RECORD),
    ],
)
def test_the_record_is_found_or_not(name_server, records, answer):
    name_server.publish(ACME, *records)
    assert look(name_server) is answer


def test_a_name_that_is_not_there_is_told_from_one_without_records(name_server):
    assert look(name_server) is Answer.NO_DOMAIN


@pytest.mark.parametrize("mood", [SERVFAIL, REFUSED, NONSENSE])
def test_a_failing_server_is_no_answer(name_server, mood):
    name_server.publish(ACME, VALUE)
    name_server.moods[ACME] = mood
    found = Resolver(name_server.resolver.servers, 1).look(ACME, TOKEN)
    assert found is Answer.NO_ANSWER
    assert not found.is_no


def test_silence_is_waited_for_no_longer_than_the_setting_says(name_server):
    name_server.moods[ACME] = SILENT
    assert Resolver(name_server.resolver.servers, 1).look(ACME, TOKEN) is Answer.NO_ANSWER


def test_where_nobody_listens_there_is_no_answer():
    assert Resolver((("127.0.0.1", free_port()),), 1).look(ACME, TOKEN) is Answer.NO_ANSWER


def test_many_records_are_fetched_over_tcp(name_server):
    name_server.publish(ACME, *(f"other service {number}" for number in range(60)), VALUE)
    assert look(name_server) is Answer.FOUND
    assert (ACME, "tcp") in name_server.asked


def test_an_alias_is_followed_and_a_circle_is_not(name_server):
    name_server.aliases[ACME] = "host.example"
    name_server.publish("host.example", VALUE)
    assert look(name_server) is Answer.FOUND
    name_server.aliases |= {f"a{number}.example": f"a{number + 1}.example" for number in range(60)}
    assert look(name_server, "a0.example") is Answer.NO_ANSWER


def test_neither_case_nor_letters_of_the_name_matter(name_server):
    name_server.publish("xn--bcher-kva.example", VALUE)
    assert look(name_server, "xn--bcher-kva.example") is Answer.FOUND


def test_the_resolver_is_tried_for_the_operator(name_server):
    name_server.resolver.try_it()
    nobody = Resolver((("127.0.0.1", free_port()),), 1)
    with pytest.raises(DNSException):
        nobody.try_it()


@pytest.mark.parametrize(
    ("text", "servers"),
    [
        ("", ()),
        ("192.0.2.1", (("192.0.2.1", 53),)),
        ("192.0.2.1:5353, [2001:db8::1]:54", (("192.0.2.1", 5353), ("2001:db8::1", 54))),
        ("2001:db8::1", (("2001:db8::1", 53),)),
    ],
)
def test_the_setting_names_servers(tmp_path, text, servers):
    env = {"PORTAL_INSTANCE": str(tmp_path), "PORTAL_DNS_SERVERS": text}
    assert Settings.from_env(env).dns_servers == servers


@pytest.mark.parametrize(
    "env",
    [
        {"PORTAL_DNS_SERVERS": "dns.example"},
        {"PORTAL_DNS_SERVERS": "192.0.2.1:0"},
        {"PORTAL_DNS_SERVERS": "192.0.2.1:99999"},
        {"PORTAL_DNS_TIMEOUT": "0"},
        {"PORTAL_DNS_TIMEOUT": "31"},
    ],
)
def test_a_setting_that_cannot_be_meant_is_refused(tmp_path, env):
    with pytest.raises(SettingsError, match="PORTAL_DNS"):
        Settings.from_env({"PORTAL_INSTANCE": str(tmp_path), **env})
