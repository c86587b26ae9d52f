-- One row per range that a page offers: how many days it holds, with today.
select * from (
    values ('24h', 1), ('7d', 7), ('30d', 30), ('90d', 90), ('all', 100000)
) as t (period, days)
