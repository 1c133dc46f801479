"""Django on SQLAlchemy's QueuePool: the stack whose semantics the broker brings to functions."""

import json
import os

import MySQLdb
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path
from sqlalchemy.pool import QueuePool

settings.configure(SECRET_KEY="benchmark", ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], MIDDLEWARE=[])


def connect():
    return MySQLdb.connect(
        host=os.environ["DATABASE_HOST"],
        port=int(os.environ["DATABASE_PORT"]),
        db=os.environ["DATABASE_NAME"],
        user=os.environ["DATABASE_USER"],
        passwd=os.environ["DATABASE_PASSWORD"],
        charset="utf8mb4",
        autocommit=True,
    )


share = int(os.environ["CONNECTIONS_OF_A_WORKER"])
pool = QueuePool(connect, pool_size=share // 2, max_overflow=share - share // 2, timeout=30)


def reply(body, status=200):
    response = HttpResponse(json.dumps(body, default=str), content_type="application/json", status=status)
    response["Content-Length"] = len(response.content)
    return response


def query(request):
    question = json.loads(request.body)
    connection = pool.connect()
    try:
        cursor = connection.cursor()
        cursor.execute(question["sql"].replace("?", "%s"), question.get("params"))
        columns = [{"name": column[0]} for column in cursor.description or ()]
        return reply({"columns": columns, "rows": cursor.fetchall() if columns else []})
    finally:
        connection.close()


urlpatterns = [
    path("readyz", lambda request: reply({})),
    path("v1/databases/default/query", query),
]
application = get_wsgi_application()
