-- A workspace's file on its way in: its parts, encrypted as they came, until the whole file is there.
--
-- A replica of an older release takes no such files, and leaves these rows as they are.

CREATE TABLE moved_parts (
    import_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (import_id, position)
) STRICT;

CREATE INDEX moved_parts_by_time ON moved_parts (created_at);
