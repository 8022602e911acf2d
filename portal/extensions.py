"""The Flask extensions, created empty and bound in `create_app`."""

from flask_babel import Babel
from flask_compress import Compress
from flask_limiter import Limiter
from flask_login import LoginManager
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from htmx_flask import Htmx

from portal.models.base import Base
from portal.web.source import source

db = SQLAlchemy(model_class=Base)
csrf = CSRFProtect()
htmx = Htmx()
login = LoginManager()
babel = Babel()
limiter = Limiter(key_func=source)
compress = Compress()
