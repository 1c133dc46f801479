"""Django on SQLAlchemy's QueuePool: the stack whose semantics the broker brings to functions."""

import json
import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpResponse
from django.urls import path

settings.configure(
    SECRET_KEY="benchmark",
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["*"],
    MIDDLEWARE=[],
    DATABASES={
        "default": {
            "ENGINE": "pooled_mysql",
            "HOST": os.environ["DATABASE_HOST"],
            "PORT": os.environ["DATABASE_PORT"],
            "NAME": os.environ["DATABASE_NAME"],
            "USER": os.environ["DATABASE_USER"],
            "PASSWORD": os.environ["DATABASE_PASSWORD"],
        }
    },
)


def reply(body):
    response = HttpResponse(json.dumps(body, default=str), content_type="application/json")
    response["Content-Length"] = len(response.content)
    return response


def query(request):
    question = json.loads(request.body)
    with connection.cursor() as cursor:
        cursor.execute(question["sql"].replace("?", "%s"), question.get("params"))
        if cursor.description is None:
            return reply({"columns": [], "rows": []})
        columns = [{"name": column[0]} for column in cursor.description]
        return reply({"columns": columns, "rows": cursor.fetchall()})


urlpatterns = [
    path("readyz", lambda request: reply({})),
    path("v1/databases/default/query", query),
]
application = get_wsgi_application()
