#!/bin/sh
# shellcheck disable=SC2016 # for the shells that the steps start
# Transactions in each journal mode, at the same time too, and copies.
set -eu

for mode in delete truncate persist memory wal off; do
    step "$mode" sqlite3 "$mode.db" "PRAGMA journal_mode=$mode;
        CREATE TABLE t (n INTEGER PRIMARY KEY, s TEXT);
        WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 20000)
            INSERT INTO t SELECT n, 'row ' || n FROM c;
        BEGIN; DELETE FROM t WHERE n % 2; COMMIT;
        BEGIN; UPDATE t SET s = s || n; $([ $mode = off ] && echo COMMIT || echo ROLLBACK);
        SELECT count(*), sum(n) FROM t; PRAGMA integrity_check;"
    step "$mode, vacuum" sqlite3 "$mode.db" 'VACUUM; PRAGMA page_count;'
    step "$mode, files" sh -c "ls $mode.db*"
done
step 'four writers' sh -c 'for at in 1 2 3 4; do
        sqlite3 wal.db ".timeout 60000" "INSERT INTO t SELECT NULL, $at FROM t LIMIT 100" &
    done; wait; sqlite3 wal.db "SELECT s, count(*) FROM t WHERE length(s) = 1 GROUP BY s"'
step 'a sort on disk' sqlite3 wal.db 'PRAGMA temp_store=file; PRAGMA cache_size=10;
    SELECT count(*) FROM (SELECT DISTINCT a.s || b.n FROM t a, t b WHERE b.n < 50 ORDER BY 1);'
step backup sqlite3 wal.db '.backup copy.db'
step 'vacuum into' sqlite3 wal.db "VACUUM INTO 'small.db'"
step 'dump, read' sh -c 'sqlite3 wal.db .dump | sqlite3 read.db && sqlite3 read.db "SELECT count(*) FROM t"'
step import sh -c 'seq 1000 >rows && sqlite3 rows.db "CREATE TABLE r (n)" ".import rows r" "SELECT sum(n) FROM r"'
step output sqlite3 read.db '.output out' 'SELECT * FROM t LIMIT 5;' '.output stdout' 'SELECT 1;'
step 'to /dev/stdout' sqlite3 read.db '.output /dev/stdout' 'SELECT * FROM t LIMIT 2;'
step files files out
