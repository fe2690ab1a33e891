"""Single rows by hand-written SQL, for the few statements that nearly every request pays for.

Composing a query and its SQL takes Django several times what the database needs to answer it. Here the SQL is written
once; the values still go through the fields, so that both engines store and read the same.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache

from django.db import connection, models


class Columns:
    """Columns of a model (all, or those named by attribute) as SQL under a table alias, and instances made of them.

    An instance's other columns are deferred: reading one of them costs a query of its own.
    """

    def __init__(self, model: type[models.Model], alias: str, names: Iterable[str] | None = None):
        self.model, self.alias = model, alias
        fields = model._meta.concrete_fields
        self.fields = fields if names is None else [model._meta.get_field(name) for name in names]
        self.names = [field.attname for field in self.fields]
        self.sql = ", ".join(f'{alias}."{field.column}"' for field in self.fields)

    @cached_property
    def converters(self):
        """What this process's database engine needs done to its values, as (place, function)."""
        return [
            (place, convert, expression)
            for place, field in enumerate(self.fields)
            for expression in [field.get_col(self.model._meta.db_table)]
            for convert in [*connection.ops.get_db_converters(expression), *field.get_db_converters(connection)]
        ]

    def instance(self, values: Sequence):
        values = list(values)
        for place, convert, expression in self.converters:
            values[place] = convert(values[place], expression, connection)
        return self.model.from_db(connection.alias, self.names, values)


def read(columns: Sequence[Columns], sql: str, parameters: Sequence) -> list | None:
    """The instances in the first row of `SELECT <columns> <sql>`, or None where there is no row."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(part.sql for part in columns)} {sql}", parameters)
        row = cursor.fetchone()
    if row is None:
        return None
    instances, start = [], 0
    for part in columns:
        end = start + len(part.fields)
        instances.append(part.instance(row[start:end]))
        start = end
    return instances


def for_update(aliases: str) -> str:
    """The clause that locks the rows of these tables; nothing on SQLite, whose transactions lock when they begin."""
    return f"FOR UPDATE OF {aliases}" if connection.features.has_select_for_update_of else ""


def write(instance: models.Model, names: Sequence[str]) -> None:
    """Writes the named columns of an instance that is in the database."""
    fields, sql = _update(type(instance), tuple(names))
    values = [field.get_db_prep_save(getattr(instance, field.attname), connection) for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(sql, [*values, instance.pk])


@lru_cache(maxsize=256)
def _update(model, names):
    fields = [model._meta.get_field(name) for name in names]
    assignments = ", ".join(f'"{field.column}" = %s' for field in fields)
    return fields, f'UPDATE "{model._meta.db_table}" SET {assignments} WHERE "{model._meta.pk.column}" = %s'  # noqa: S608
