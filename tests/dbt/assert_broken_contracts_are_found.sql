-- The test of a test: each row of `broken` breaks one rule, and the macro that
-- guards every contract must say so of exactly these.
with

broken as (

    select
        cases.date_partition,
        cases.id,
        cases.status,
    from (
        values
        (date '2025-01-01', 'good', 'ok'),
        (date '2025-01-01', 'no status is fine', null),
        (date '2025-01-02', null, 'ok'),
        (date '2025-01-03', 'odd', 'odd'),
        (date '2025-01-04', 'twice', 'ok'),
        (date '2025-01-05', 'twice', 'ok'),
        (date '2025-01-06', 'too long an id', 'ok')
    ) as cases (date_partition, id, status)

),

expected as (

    select
        cases.date_partition,
        cases.rule,
    from (
        values
        (date '2025-01-02', 'id is NULL'),
        (date '2025-01-03', 'status is not an accepted value'),
        (date '2025-01-04', 'id, status is not unique'),
        (date '2025-01-05', 'id, status is not unique'),
        (date '2025-01-06', 'not so: id is short')
    ) as cases (date_partition, rule)

),

found as (

    {{ contract_violations(
        'broken',
        not_null=['id'],
        accepted_values={'status': ['ok', 'warn']},
        key=['id', 'status'],
        checks={'id is short': 'length(id) < 6 or status is null'},
    ) | indent }}

)

select
    coalesce(expected.date_partition, found.date_partition) as date_partition,
    coalesce(expected.rule, found.rule) as rule,
from expected
full outer join found
    on
        expected.date_partition = found.date_partition
        and expected.rule = found.rule
where expected.rule is null or found.rule is null
