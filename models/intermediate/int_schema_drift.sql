with

observed_columns as (

    from {{ ref('stg_observed_columns') }}

),

heartbeats as (

    from {{ ref('stg_heartbeats') }}
    where fields is not null

),

known_columns as (

    select
        source,
        list(name) as known_names,
        list(name) filter (requirement in ('required', 'expected'))
            as due_names,
    from {{ ref('known_columns') }}
    group by source

),

collect_names_per_file as (

    select
        day,
        source_name,
        source_file,
        list(distinct column_name) as names,
    from observed_columns
    group by day, source_name, source_file
    union all
    select
        day,
        'heartbeats' as source_name,
        filename as source_file,
        fields as names,
    from heartbeats

),

list_names_seen_or_due as (

    select
        files.day,
        files.source_name,
        files.source_file,
        files.names,
        coalesce(known_columns.known_names, []) as known_names,
        unnest(
            list_distinct(files.names || coalesce(known_columns.due_names, []))
        ) as column_name,
    from collect_names_per_file as files
    left join known_columns
        on
            -- The twins of pattern files have keys of their own.
            known_columns.source = if(
                files.source_name = 'query_patterns'
                and files.source_file like '%.json',
                'query_patterns_json',
                files.source_name
            )

),

compare_with_known_names as (

    select
        source_name,
        source_file,
        case
            when not list_contains(known_names, column_name) then 'added'
            when not list_contains(names, column_name) then 'missing'
        end as kind,
        column_name,
        day,
    from list_names_seen_or_due

)

from compare_with_known_names
where kind is not null
