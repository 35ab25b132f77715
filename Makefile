# Everything here needs Node (20.20 or newer), npm and make; the versions of all else are in package-lock.json.
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
IMAGE ?= manifest-tool
.PHONY: help install build binary image demo test check bench docs faults fixtures licenses manual sbom fmt clean

INSTALLED := node_modules/.package-lock.json

help: ## Shows the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(INSTALLED) ## Installs the packages, where package-lock.json is newer than they are

$(INSTALLED): package-lock.json
	npm ci --no-audit --no-fund
	@touch $@

build: $(INSTALLED) ## Builds dist/: the command line and the library
	npm run --silent build

binary: build ## Makes the single executables in dist/binary (BINARY_TARGETS=linux-x64,...)
	node scripts/executables/make.mjs "$(BINARY_TARGETS)"

image: ## Builds the container image IMAGE (manifest-tool), with docker
	docker build --tag $(IMAGE) .

demo: build ## Shows the program at work
	bash scripts/demo.sh

test: $(INSTALLED) ## Runs all tests, against real registries, and prints what they do not cover
	bash scripts/test/setup.sh
	npm run --silent build
	npm run --silent test -- --coverage --reporter=default --reporter=json --outputFile.json=.cache/test-report.json

check: $(INSTALLED) ## Checks types, lint, format, import rules, dead code, licences, generated files and the lock file
	npx tsc --noEmit
	npm run --silent lint
	npm run --silent format -- --check
	node scripts/check/import-rules.mjs --self-test
	node scripts/check/import-rules.mjs
	npx knip
	node scripts/build/version.mjs --check
	node scripts/supply-chain/licenses.mjs --check
	node scripts/test/layout-fixture.mjs --check
	node scripts/docs/round-trips.mjs --check
	node scripts/docs/spec.mjs --check
	node scripts/build/api.mjs --check
	node scripts/docs/manual.mjs --check
	npm ci --dry-run --offline --ignore-scripts --no-audit --loglevel=error > /dev/null

bench: build ## Measures jobs beside the peers that are in PATH, and the start-up (BENCH_ARGS='--help')
	node scripts/bench/bench.mjs $(BENCH_ARGS)

round-trips: $(INSTALLED) ## Counts what each command sends anew, into docs/round-trips.json, and makes the tables of it
	UPDATE_ROUND_TRIPS=1 npx vitest run test/e2e/round-trips.test.ts --testNamePattern 'sends what the table says'
	npx oxfmt docs/round-trips.json
	node scripts/docs/round-trips.mjs

docs: build ## Regenerates the tables and the picture in docs/
	node scripts/docs/round-trips.mjs
	node scripts/docs/spec.mjs
	node scripts/docs/terminal.mjs

faults: $(INSTALLED) ## Runs a push with every fault at every request of it, and prints the table
	node scripts/test/faults.mjs

fixtures: $(INSTALLED) ## Makes the generated fixtures again
	node scripts/test/layout-fixture.mjs

licenses: $(INSTALLED) ## Makes THIRD-PARTY-LICENSES and docs/internals/dependency-licenses.md again
	node scripts/supply-chain/licenses.mjs

sbom: $(INSTALLED) ## Writes what is in what is published, in CycloneDX
	node scripts/supply-chain/sbom.mjs

.PHONY: api
api: $(INSTALLED) ## Makes docs/api again: the API of the library, to be committed with what changes it
	node scripts/build/api.mjs

manual: $(INSTALLED) ## Makes docs/reference/commands and man again, from the definitions of the commands
	node scripts/docs/manual.mjs

fmt: $(INSTALLED) ## Formats all files
	npm run --silent format

clean: ## Removes what was built
	rm -rf dist coverage .cache

.PHONY: fuzz races
fuzz: $(INSTALLED) ## Tries each parser with 100,000 inputs (FUZZ_RUNS), and prints the table
	node scripts/test/fuzz.mjs

races: $(INSTALLED) ## Lets ten commands edit one list at the same moment, fifty times
	MANIFEST_TOOL_RACES=50 npx vitest run test/e2e/edits.test.ts --testNamePattern 'ten adds'
