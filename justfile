# The commands of this project. `just` alone checks everything quickly.
default: check

venv := ".venv/bin/"

check: lint types imports docs unit

fmt:
    {{venv}}ruff format .
    {{venv}}ruff check --fix .

lint:
    {{venv}}ruff format --check .
    {{venv}}ruff check .

types:
    {{venv}}mypy

imports:
    {{venv}}lint-imports

docs:
    {{venv}}python docs/generate.py --check

unit:
    {{venv}}pytest -q tests/unit tests/contract tests/laws

test:
    {{venv}}pytest

# just bench shop | loop | speed | overload | slowclients | soak | kills | dedupe | poison | powercut | iofaults | bitflips | sendkills | sendraces | consentraces | optouttraining | tenants | erasure | backup | campaign | mails | ssrf | xss | moment | bandit | stats | quality (arguments may follow: just bench quality --data moodle-course)
bench name *arguments:
    {{venv}}python -m benchmarks.{{name}} {{arguments}}

nightly: (bench "shop") (bench "loop")
    GERMANE_HYPOTHESIS=nightly GERMANE_DRAWS=1000000 {{venv}}pytest -q tests/laws
    {{venv}}python -m benchmarks.kills
    {{venv}}python -m benchmarks.dedupe
    {{venv}}python -m benchmarks.poison
    {{venv}}python -m benchmarks.powercut
    {{venv}}python -m benchmarks.iofaults
    {{venv}}python -m benchmarks.bitflips
    {{venv}}python -m benchmarks.sendkills
    {{venv}}python -m benchmarks.sendraces
    {{venv}}python -m benchmarks.consentraces
    {{venv}}python -m benchmarks.xss
    {{venv}}python -m benchmarks.overload
    {{venv}}python -m benchmarks.slowclients
    {{venv}}python -m benchmarks.soak

serve:
    {{venv}}germane serve

lock:
    {{venv}}uv pip compile pyproject.toml --all-extras --universal --generate-hashes --no-emit-index-url --python-version 3.11 -q -o requirements/lock.txt --custom-compile-command "just lock"
