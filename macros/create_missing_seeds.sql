{#- Seeds are small files of the project. Commands that do not load them find
    them all the same: `dbt test` before any `dbt seed`, and the nightly run,
    which reads them where they lie, in milliseconds. -#}
{% macro create_missing_seeds() %}
    {%- set loads_seeds = flags.WHICH in ('build', 'seed')
        and target.name != 'nightly' -%}
    {%- if execute and not loads_seeds -%}
        {%- for node in graph.nodes.values()
            if node.resource_type == 'seed' %}
            {%- set path = node.root_path ~ '/' ~ node.original_file_path -%}
            create schema if not exists {{ node.schema }};
            create table if not exists
                "{{ node.schema }}"."{{ node.alias }}" as
            from read_csv(
                '{{ path | replace("'", "''") }}',
                header = true, all_varchar = true
            );
        {%- endfor %}
    {%- endif -%}
{% endmacro %}
