# Everything here needs Node (20.20 or newer), npm and make; the versions of all else are in package-lock.json.
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help install build demo test check bench faults fixtures licenses manual fmt clean

INSTALLED := node_modules/.package-lock.json

help: ## Shows the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(INSTALLED) ## Installs the packages, where package-lock.json is newer than they are

$(INSTALLED): package-lock.json
	npm ci --no-audit --no-fund
	@touch $@

build: $(INSTALLED) ## Builds dist/: the command line and the library
	npm run --silent build

demo: build ## Shows the program at work
	bash scripts/demo.sh

test: $(INSTALLED) ## Runs all tests, against real registries
	bash scripts/test-setup.sh
	npm run --silent build
	npm run --silent test -- --reporter=default --reporter=json --outputFile.json=.cache/test-report.json

check: $(INSTALLED) ## Checks types, lint, format, import arrows, dead code, licences, generated files and the lock file
	npx tsc --noEmit
	npm run --silent lint
	npm run --silent format -- --check
	node scripts/check-arrows.mjs --self-test
	node scripts/check-arrows.mjs
	npx knip
	node scripts/third-party-licenses.mjs --check
	node scripts/make-layout-fixture.mjs --check
	node scripts/make-manual.mjs --check
	npm ci --dry-run --offline --ignore-scripts --no-audit --loglevel=error > /dev/null

bench: build ## Measures the start-up beside node's own
	node scripts/bench-startup.mjs

faults: $(INSTALLED) ## Runs a push with every fault at every request of it, and prints the table
	node scripts/faults.mjs

fixtures: $(INSTALLED) ## Makes the generated fixtures again
	node scripts/make-layout-fixture.mjs

licenses: $(INSTALLED) ## Makes THIRD-PARTY-LICENSES again, from what is in the bundle
	node scripts/third-party-licenses.mjs

manual: $(INSTALLED) ## Makes docs/commands and man again, from the definitions of the commands
	node scripts/make-manual.mjs

fmt: $(INSTALLED) ## Formats all files
	npm run --silent format

clean: ## Removes what was built
	rm -rf dist coverage .cache

.PHONY: fuzz races
fuzz: $(INSTALLED) ## Tries each parser with 100,000 inputs (FUZZ_RUNS), and prints the table
	node scripts/fuzz.mjs

races: $(INSTALLED) ## Lets ten commands edit one list at the same moment, fifty times
	MANIFEST_TOOL_RACES=50 npx vitest run test/integration/edits.test.ts --testNamePattern 'ten adds'
