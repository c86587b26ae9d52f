{#- A check without a readable duration is a check all the same. -#}
{%- set cells = {
    'duration_text': {'type': 'bigint', 'as': 'duration_ms', 'or_null': true},
} -%}

with

list_checks as (

    select
        filename,
        report_type,
        landed.at as reported_at,
        raw,
        problem,
        day,
        -- A report that could not be read counts as one record.
        unnest(if(problem is null, checks, [null])) as reported_check,
    from {{ source('landing', 'reports') }} as landed

),

take_cells as (

    select
        list_checks.* exclude (reported_check),
        reported_check.check_group,
        reported_check.check_name,
        reported_check.status_text,
        lower({{ without_mark('reported_check.status_text') }})
            as status_word,
        reported_check.exit_code,
        reported_check.message,
        reported_check.duration_text,
    from list_checks

),

type_cells as (

    select
        *,
        {{ type_cells(cells) }},
    from take_cells

)

select
    filename,
    report_type,
    reported_at,
    check_group,
    check_name,
    {{ report_check_status(
        'report_type', 'status_text', 'status_word', 'exit_code'
    ) }} as status,
    message,
    {{ typed_cells(cells) }},
    raw,
    {{ reject_reason(cells) }} as reject_reason,
    day,
from type_cells
