# The everyday commands. `just` lists them. Every recipe is one or two commands that also work
# without just.

# List all recipes
default:
    @just --list

# Train an experiment; arguments go to `smallnet train`
train *ARGS:
    cargo run --release --locked -- train {{ ARGS }}

# Run the tests; arguments go to `cargo test`, for example `--test resume killed`
test *ARGS:
    cargo test --release --locked {{ ARGS }}

# Run everything that must pass before a change is merged
ci:
    bash .ci/run

# Check formatting and run clippy
lint:
    cargo fmt --all --check
    cargo clippy --release --locked --workspace --all-targets -- -D warnings

# Check shell scripts, workflows, Dockerfile and pyproject.toml
scripts:
    .ci/lint

# Run one benchmark: study, inference, kernels, late_epochs, memory, epoch or parts
bench NAME="study":
    cargo bench --locked {{ if NAME =~ '^(epoch|parts)$' { "--package smallnet-benches" } else { "--package smallnet" } }} --bench {{ NAME }}

# Feed one fuzz target: idx, experiment, study, run_folder, study_folder, checkpoint, weights, picture
fuzz NAME INPUTS="1000000":
    fuzz/run {{ NAME }} {{ INPUTS }}

# Build the documentation of the library without warnings
docs *ARGS:
    RUSTDOCFLAGS="-D warnings" cargo doc --release --locked --no-deps {{ ARGS }}

# Build the packages for crates.io and compile what they contain; publishes nothing
package:
    cargo package --locked --package smallnet-mnist --package smallnet-kernels --package smallnet
