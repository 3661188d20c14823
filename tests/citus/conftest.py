"""Citus' part of a database, as far as `honne db distribute` meets it."""

import psycopg
import pytest

# Citus is not in the packages that tests may count on. This has its names and refuses what its
# documentation says it refuses, so that the statements run against the real schema in their order.
RULES = """
CREATE TABLE pg_dist_partition (logicalrelid regclass PRIMARY KEY, kind text, colocation text);

CREATE FUNCTION refuse_unless(holds boolean, reason text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT coalesce(holds, false) THEN RAISE EXCEPTION '%', reason; END IF;
END $$;

CREATE FUNCTION create_reference_table(spread regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM refuse_unless(
        (SELECT kind = 'reference' FROM pg_dist_partition WHERE logicalrelid = confrelid),
        spread || ': a reference table refers to a table that is none'
    ) FROM pg_constraint WHERE conrelid = spread AND contype = 'f';
    INSERT INTO pg_dist_partition VALUES (spread, 'reference', NULL);
END $$;

CREATE FUNCTION create_distributed_table(spread regclass, by text, colocate_with text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    place smallint := (SELECT attnum FROM pg_attribute WHERE attrelid = spread AND attname = by);
    beside text := CASE colocate_with WHEN 'none' THEN spread::text ELSE colocate_with END;
BEGIN
    PERFORM refuse_unless(
        beside = spread::text
        OR EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = beside::regclass),
        spread || ': colocated with a table that is not distributed'
    );
    PERFORM refuse_unless(place = ANY(indkey), spread || ': a unique index without ' || by)
    FROM pg_index WHERE indrelid = spread AND indisunique;
    PERFORM refuse_unless(
        (
            SELECT kind = 'reference' OR (
                colocation = beside
                AND array_position(conkey, place) = array_position(
                    confkey,
                    (SELECT attnum FROM pg_attribute WHERE attrelid = confrelid AND attname = by)
                )
            )
            FROM (
                SELECT kind, colocation FROM pg_dist_partition WHERE logicalrelid = confrelid
                UNION ALL SELECT 'distributed', beside WHERE confrelid = spread
            ) AS referred
        ) AND confdeltype NOT IN ('n', 'd'),
        spread || ': the foreign key ' || conname || ' leads to another machine or sets a key null'
    ) FROM pg_constraint WHERE conrelid = spread AND contype = 'f';
    PERFORM refuse_unless(false, spread || ': a trigger')
    FROM pg_trigger WHERE tgrelid = spread AND NOT tgisinternal;
    INSERT INTO pg_dist_partition VALUES (spread, 'distributed', beside);
END $$;
"""


@pytest.fixture
def citus(owner: psycopg.Connection) -> psycopg.Connection:
    """The owner's connection to a migrated database that has what stands in for the extension."""
    owner.execute(RULES.encode())
    return owner
