# Needs Node 20.20 or newer, npm and make. package-lock.json pins everything else.
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
IMAGE ?= manifest-tool
.PHONY: help install build binary image demo test check bench docs faults fixtures licenses manual sbom fmt clean

INSTALLED := node_modules/.package-lock.json

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(INSTALLED) ## Install the packages if package-lock.json has changed

$(INSTALLED): package-lock.json
	npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

build: $(INSTALLED) ## Build dist/: the command line and the library
	npm run --silent build

binary: build ## Build single executables in dist/binary (BINARY_TARGETS=linux-x64,...)
	node scripts/executables/make.mjs "$(BINARY_TARGETS)"

image: ## Build the container image with docker (IMAGE=manifest-tool)
	docker build --tag $(IMAGE) .

demo: build ## Show the program at work
	bash scripts/demo.sh

test: $(INSTALLED) ## Run all tests against real registries, and print their coverage
	bash scripts/test/setup.sh
	bash scripts/test/signing-tools.sh
	npm run --silent build
	npm run --silent test -- --coverage --reporter=default --reporter=json --outputFile.json=.cache/test-report.json

check: $(INSTALLED) ## Check types, lint, format, imports, dead code, licenses, generated files
	npx tsc --noEmit
	npm run --silent lint
	npm run --silent format -- --check
	node scripts/check/import-rules.mjs --self-test
	node scripts/check/import-rules.mjs
	npx knip
	node scripts/build/version.mjs --check
	node scripts/build/address.mjs --check
	node scripts/supply-chain/licenses.mjs --check
	node scripts/test/layout-fixture.mjs --check
	node scripts/docs/round-trips.mjs --check
	node scripts/docs/spec.mjs --check
	node scripts/docs/examples.mjs --check
	node scripts/build/api.mjs --check
	$(MAKE) --no-print-directory reference REFERENCE_ARGS=--check
	node scripts/docs/manual.mjs --check
	npm ci --dry-run --offline --ignore-scripts --no-audit --loglevel=error > /dev/null

bench: build ## Compare with other tools in PATH, and measure start-up (BENCH_ARGS='--help')
	node scripts/bench/bench.mjs $(BENCH_ARGS)

round-trips: $(INSTALLED) ## Count the requests of each command again, and update the tables
	UPDATE_ROUND_TRIPS=1 npx vitest run test/e2e/round-trips.test.ts --testNamePattern 'sends what the table says'
	npx oxfmt docs/round-trips.json
	node scripts/docs/round-trips.mjs

docs: build ## Regenerate the tables and the terminal picture in docs/
	node scripts/docs/round-trips.mjs
	node scripts/docs/spec.mjs
	node scripts/docs/examples.mjs
	node scripts/docs/terminal.mjs

faults: $(INSTALLED) ## Run a push with every fault at every request, and print the results
	node scripts/test/faults.mjs

fixtures: $(INSTALLED) ## Regenerate the fixtures
	node scripts/test/layout-fixture.mjs

licenses: $(INSTALLED) ## Regenerate THIRD-PARTY-LICENSES and the table of licenses
	node scripts/supply-chain/licenses.mjs

sbom: $(INSTALLED) ## Write the SBOM of a release to dist/ (CycloneDX)
	node scripts/supply-chain/sbom.mjs

.PHONY: address
address: ## Copy the project's address from project.json to all files that contain it
	node scripts/build/address.mjs

.PHONY: api
api: $(INSTALLED) ## Regenerate docs/api, the API report of the library
	node scripts/build/api.mjs

manual: $(INSTALLED) ## Regenerate docs/reference/commands and man from the command definitions
	node scripts/docs/manual.mjs

fmt: $(INSTALLED) ## Format all files
	npm run --silent format

clean: ## Remove everything that was built
	rm -rf dist coverage .cache

REFERENCE := scripts/docs/reference
.PHONY: reference
reference: $(INSTALLED) $(REFERENCE)/node_modules/.package-lock.json ## Makes the reference of the library again
	node scripts/docs/reference.mjs $(REFERENCE_ARGS)

$(REFERENCE)/node_modules/.package-lock.json: $(REFERENCE)/package-lock.json
	npm ci --prefix $(REFERENCE) --ignore-scripts --no-audit --no-fund
	@touch $@

.PHONY: fuzz races
fuzz: $(INSTALLED) ## Fuzz each parser with 100,000 inputs (FUZZ_RUNS), and print the results
	node scripts/test/fuzz.mjs

races: $(INSTALLED) ## Run ten concurrent edits of one index, fifty times
	MANIFEST_TOOL_RACES=50 npx vitest run test/e2e/edits.test.ts --testNamePattern 'ten adds'
