with

query_rows as (

    select * from {{ ref('stg_query_rows') }}

),

query_log as (

    select * from {{ ref('stg_query_log') }}

),

union_rows_and_log as (

    select * from query_rows
    union all by name
    select * from query_log

)

select
    *,
    if(reject_reason is null, 'published', 'reject') as outcome,
from union_rows_and_log
