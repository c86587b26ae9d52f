{#- Seeds are small files of the project: a run reads them where they lie, in
    milliseconds, and `dbt test` finds them before any `dbt seed`. -#}
{% macro create_missing_seeds() %}
    {%- if execute -%}
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
