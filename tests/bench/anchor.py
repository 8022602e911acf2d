"""The anchor "limit": the Clients page as somebody would write it who cares for nothing but speed.

Flask and Jinja on the raw SQLite driver, one file, no ORM, no translation, no permissions: the
session is checked, 100 clients are read with two statements, and about as many bytes go out as
the portal sends. What the portal costs more than this is the price of everything else it does.
"""

import hashlib
import os
import sqlite3
import threading

from flask import Flask, abort, request

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Clients</title></head>
<body><h1>Clients</h1><p>{{ name }}</p><table><caption>Clients</caption><thead><tr><th>Client</th>
<th>Assigned</th><th>Used</th><th>Remaining</th><th>Plan</th><th>Set-up</th><th></th></tr></thead>
<tbody>{% for r in rows %}
<tr><th scope="row"><span class="avatar tone-{{ loop.index % 12 }}"></span>
<a href="/organizations/{{ r[0] }}/collections">{{ r[1] }}</a></th>
<td class="num">{{ r[2] }}</td><td class="num"><meter max="{{ r[2] }}" value="{{ r[3] }}"></meter>
{{ r[3] }}</td><td class="num">{{ r[4] }}</td><td><span class="badge">{{ r[5] }}</span></td>
<td><progress value="{{ r[6] }}" max="{{ r[7] }}"></progress> {{ r[6] }}/{{ r[7] }}</td>
<td><a href="/providers/{{ r[0] }}/clients/{{ r[0] }}/manage">Manage</a></td></tr>{% endfor %}
</tbody></table></body></html>"""

SESSION = """select p.provider_id, a.name from auth_session s
join accounts a on a.id = s.account_id
join provider_people p on p.account_id = a.id
where s.token_hash = ? and s.expires_at > datetime('now')"""

CLIENTS = """select id, name, seats, seats_used, seats_remaining, plan, setup_done, setup_total
from organizations where provider_id = ? order by name_ci, id limit 101"""

app = Flask(__name__)
template = app.jinja_env.from_string(PAGE)
local = threading.local()


def connection() -> sqlite3.Connection:
    """One read-only connection a thread, kept."""
    if not hasattr(local, "connection"):
        path = os.environ["ANCHOR_DATABASE"]
        local.connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    return local.connection


@app.get("/")
def clients() -> str:
    """The page; the session token comes as it is, in a header."""
    token = hashlib.sha256(request.headers.get("X-Token", "").encode()).hexdigest()
    person = connection().execute(SESSION, (token,)).fetchone()
    if person is None:
        abort(401)
    rows = connection().execute(CLIENTS, (person[0],)).fetchmany(100)
    return template.render(name=person[1], rows=rows)
