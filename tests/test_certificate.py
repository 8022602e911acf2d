import datetime as dt
import http.server
import ssl
import threading
import urllib.request

import pytest

from portal.cli.certificate import local_certificate


@pytest.fixture
def https_server(tmp_path):
    """A server with a certificate for localhost: its address and the certificate."""
    certificate = local_certificate(tmp_path, "localhost")
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.chain, certificate.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1], certificate
    server.shutdown()
    thread.join()
    server.server_close()


def status(url, authority):
    context = ssl.create_default_context(cafile=authority)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    try:
        return urllib.request.urlopen(url, context=context).status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_a_client_that_has_the_authority_trusts_the_server(https_server):
    port, certificate = https_server
    assert status(f"https://localhost:{port}/", certificate.authority) == 501


def test_the_certificate_is_not_good_for_another_name(https_server):
    port, certificate = https_server
    with pytest.raises(urllib.error.URLError, match="mismatch"):
        status(f"https://127.0.0.1:{port}/", certificate.authority)


def test_the_authority_keeps_no_key_with_which_to_sign_again(tmp_path):
    local_certificate(tmp_path, "portal.test")
    files = {file.name: file for file in (tmp_path / "portal.test").iterdir()}
    assert set(files) == {"server.pem", "server.key", "authority.pem"}
    assert files["server.key"].stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["portal.test", "192.0.2.7", "::1"])
def test_a_second_start_keeps_the_certificate(tmp_path, name):
    first = local_certificate(tmp_path, name).fingerprint()
    assert local_certificate(tmp_path, name).fingerprint() == first


def test_it_is_made_anew_before_it_runs_out(tmp_path):
    certificate = local_certificate(tmp_path, "portal.test")
    now = dt.datetime.now(dt.UTC)
    assert certificate.is_usable(now + dt.timedelta(days=360))
    assert not certificate.is_usable(now + dt.timedelta(days=370))


@pytest.mark.parametrize("name", ["", "a b", "../x", "é.test", "a..b"])
def test_what_is_no_name_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match="neither a host name nor an address"):
        local_certificate(tmp_path, name)
