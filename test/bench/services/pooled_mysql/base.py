"""Django's MySQL backend, with connections of SQLAlchemy's QueuePool."""

import os

import MySQLdb
from django.db.backends.mysql import base
from sqlalchemy.pool import QueuePool

share = int(os.environ["CONNECTIONS_OF_A_WORKER"])
pool = None


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params):
        global pool
        if pool is None:
            pool = QueuePool(
                lambda: MySQLdb.connect(**conn_params),
                pool_size=share // 2,
                max_overflow=share - share // 2,
                timeout=30,
            )
        return pool.connect()
