"""Single rows by hand-written SQL, for the few statements that nearly every request pays for.

Composing a query and its SQL takes Django several times what the database needs to answer it. Here the SQL is written
once; the values still go through the fields, so that both engines store and read the same.
"""

from collections import namedtuple
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache, cached_property, lru_cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections, models, transaction


class Columns:
    """Columns of a model (all, or those named by attribute) as SQL, their table under its alias, and what values make.

    An instance: its other columns are deferred, so that reading one of them costs a query of its own. Or a record, a
    named tuple, for a tenth of the time.
    """

    def __init__(self, model: type[models.Model], alias: str, names: Collection[str] | None = None):
        self.model = model
        self.table = f'"{model._meta.db_table}" {alias}'
        # In the model's own order, which is what `from_db` takes values in.
        self.fields = [field for field in model._meta.concrete_fields if names is None or field.attname in names]
        self.names = [field.attname for field in self.fields]
        self.sql = ", ".join(f'{alias}."{field.column}"' for field in self.fields)
        self.make_record = namedtuple(f"{model.__name__}Record", self.names)._make

    @cached_property
    def converters(self):
        """What this process's database engine needs done to its values, as (place, function)."""
        return [
            (place, convert, expression)
            for place, field in enumerate(self.fields)
            for expression in [field.get_col(self.model._meta.db_table)]
            for convert in [*connection.ops.get_db_converters(expression), *field.get_db_converters(connection)]
        ]

    def _converted(self, values):
        if self.converters:
            values = list(values)
            for place, convert, expression in self.converters:
                values[place] = convert(values[place], expression, connection)
        return values

    def instance(self, values: Sequence):
        return self.model.from_db(DEFAULT_DB_ALIAS, self.names, self._converted(values))

    def record(self, values: Sequence) -> tuple:
        return self.make_record(self._converted(values))


class Values:
    """Expressions in the place of columns; what is made of them is a plain tuple."""

    def __init__(self, *expressions: str):
        self.fields = expressions
        self.sql = ", ".join(expressions)

    @staticmethod
    def instance(values: Sequence) -> tuple:
        return tuple(values)


Parts = Sequence[Columns | Values]


def read(parts: Parts, sql: str, parameters: Sequence) -> list | None:
    """What each part makes of the first row of `SELECT <parts> <sql>`; None where there is no row."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {_columns(parts)} {sql}", parameters)
        row = cursor.fetchone()
    return row and made(parts, row)


def made(parts: Parts, row: Sequence) -> list:
    """What each part makes of its values in the row."""
    found, start = [], 0
    for part in parts:
        end = start + len(part.fields)
        found.append(part.instance(row[start:end]))
        start = end
    return found


def _columns(parts):
    return ", ".join(part.sql for part in parts)


class Listing:
    """What `make` makes of the rows of `SELECT <parts> <sql>` (which ends in its ORDER BY): of all, or of some."""

    def __init__(self, parts: Parts, sql: str, parameters: Sequence, make: Callable[[Sequence], Any]):
        self.columns, self.sql, self.parameters, self.make = _columns(parts), sql, parameters, make

    def __iter__(self):
        return map(self.make, self._read(f"SELECT {self.columns} {self.sql}"))

    def part(self, start: int, stop: int) -> tuple[list, int]:
        """The rows from `start` to before `stop`, and how many there are in all (0 where the part is empty)."""
        rows = self._read(f"SELECT {self.columns}, COUNT(*) OVER () {self.sql} LIMIT %s OFFSET %s", stop - start, start)
        return [self.make(row[:-1]) for row in rows], rows[0][-1] if rows else 0

    def _read(self, sql, *more):
        with connection.cursor() as cursor:
            cursor.execute(sql, [*self.parameters, *more])
            return cursor.fetchall()


def for_update(aliases: str) -> str:
    """The clause that locks the rows of these tables; nothing on SQLite, whose transactions lock when they begin."""
    return f"FOR UPDATE OF {aliases}" if connection.features.has_select_for_update_of else ""


def insert(instance: models.Model) -> None:
    """Writes an instance that is not in the database yet, and gives it its key."""
    fields, sql = _insert(type(instance))
    database = connections[DEFAULT_DB_ALIAS]
    values = [field.get_db_prep_save(field.pre_save(instance, add=True), database) for field in fields]
    with database.cursor() as cursor:
        cursor.execute(sql, values)
        [instance.pk] = cursor.fetchone()
    instance._state.adding, instance._state.db = False, DEFAULT_DB_ALIAS


@cache
def _insert(model):
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    columns, places = ", ".join(f'"{field.column}"' for field in fields), ", ".join(["%s"] * len(fields))
    table, key = model._meta.db_table, model._meta.pk.column
    return fields, f'INSERT INTO "{table}" ({columns}) VALUES ({places}) RETURNING "{key}"'  # noqa: S608


def write(instance: models.Model, names: Sequence[str], *, expected: Mapping[str, Any] | None = None) -> bool:
    """Writes the named columns of an instance that is in the database; whether it has.

    Where columns are `expected` to have values, by attribute name, and one has another now, nothing is written.
    """
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(*_update(instance, names, expected or {}))
        return cursor.rowcount == 1


def write_both(
    first: models.Model,
    first_names: Sequence[str],
    second: models.Model,
    second_names: Sequence[str],
    *,
    expected: Mapping[str, Any],
) -> bool:
    """Writes columns of two instances if those of the first are as `expected`, else of neither; whether it has."""
    if connection.vendor != "postgresql":
        with transaction.atomic():
            return write(first, first_names, expected=expected) and write(second, second_names)
    (one, one_values), (two, two_values) = _update(first, first_names, expected), _update(second, second_names, {})
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        # A transaction of its own, in one way to the database and back.
        cursor.execute(
            f"WITH first AS ({one} RETURNING 1) {two} AND EXISTS (SELECT FROM first)", [*one_values, *two_values]
        )
        return cursor.rowcount == 1


def _update(instance, names, expected):
    fields, sql = _update_sql(type(instance), tuple(names), tuple(expected))
    database = connections[DEFAULT_DB_ALIAS]  # asked once, not by each field
    values = [*(getattr(instance, field.attname) for field in fields[: len(names)]), instance.pk, *expected.values()]
    return sql, [field.get_db_prep_save(value, database) for field, value in zip(fields, values, strict=True)]


@lru_cache(maxsize=256)
def _update_sql(model, names, expected):
    """The fields of the statement's values, in their order, and the statement."""
    written, compared = ([model._meta.get_field(name) for name in part] for part in (names, expected))
    assignments = ", ".join(f'"{field.column}" = %s' for field in written)
    conditions = " AND ".join(f'"{field.column}" = %s' for field in (model._meta.pk, *compared))
    sql = f'UPDATE "{model._meta.db_table}" SET {assignments} WHERE {conditions}'  # noqa: S608
    return [*written, model._meta.pk, *compared], sql
