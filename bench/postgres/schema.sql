-- The central database that a ledger replaces: records by key, and a history of what was done. One call of `act` does what one
-- action does: it reads records, changes some, adds some, and writes the history; one statement each, in one transaction.
-- Keys are numbers, which is kinder to Postgres than the names of 64 hex digits that records have on a ledger.

CREATE TABLE records (id bigint PRIMARY KEY, value bytea NOT NULL);
CREATE TABLE history (position bigserial PRIMARY KEY, action bytea NOT NULL, result bytea NOT NULL);
CREATE SEQUENCE fresh START 1000000000;
ALTER TABLE records ALTER value SET STORAGE EXTERNAL;
ALTER TABLE history ALTER action SET STORAGE EXTERNAL;
ALTER TABLE history ALTER result SET STORAGE EXTERNAL;

INSERT INTO records
    SELECT i, substr(bytes, 1 + (i * 37 % 4000)::int, :record)
    FROM generate_series(1, :rows) AS i,
         (SELECT string_agg(sha256(j::text::bytea), ''::bytea) AS bytes FROM generate_series(1, 256) AS j) AS filler;

-- The bytes to cut values from are a constant of the function: 8 kB that do not repeat. Each call cuts at another place, so that
-- no value is written over itself.
SELECT format($function$
CREATE FUNCTION act(read bigint[], changed bigint[], added int, record int, action int, result int, place int)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    cut CONSTANT bytea := %L;
    seen bytea[];
    said bigint;
BEGIN
    SELECT array_agg(value) INTO seen FROM records WHERE id = ANY (read);
    UPDATE records SET value = substr(cut, place, record) WHERE id = ANY (changed);
    IF added > 0 THEN
        INSERT INTO records SELECT nextval('fresh'), substr(cut, place + i, record) FROM generate_series(1, added) AS i;
    END IF;
    INSERT INTO history (action, result) VALUES (substr(cut, place, action), substr(cut, place, result))
        RETURNING position INTO said;
    RETURN said;
END $$;
$function$, (SELECT string_agg(sha256(j::text::bytea), ''::bytea) FROM generate_series(1, 256) AS j)) \gexec
