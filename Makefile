# make help lists the targets

RUN_DIR ?= $(CURDIR)/run
PORT ?= 8080
WORKERS ?= 1
LIMITS ?= on
TTL ?= 3600
JOBS ?= 4

MODULE = build/ngx_mentara_module.so
ECHO = build/ngx_mentara_echo_module.so
ECHO_SOURCES = $(wildcard t/echo/* src/*/*.[ch])
SOURCES = config ngx_mentara_module.c $(wildcard src/*.h src/*/*.c src/*/*.h)

export RUN_DIR PORT WORKERS LIMITS TTL DATABASE_URL DEFLATE

.PHONY: all help setup build unit test start stop run token echo lint fmt clean \
        asan test-asan test-valgrind check-1.26 fuzz bench

all: build

help: ## this list
	@sed -n "s/^\([a-z0-9.-]*\):.*## /\1\t/p" Makefile | expand -t 14

setup: ## install the Debian packages that are missing
	@tools/setup

build: $(MODULE) ## the module, for Debian's nginx

$(MODULE): $(SOURCES) tools/build
	@tools/setup
	@mkdir -p build
	@tools/build $(MODULE)
	@touch $(MODULE)

$(ECHO): $(ECHO_SOURCES) tools/build
	@tools/setup
	@mkdir -p build
	@ADDON=$(CURDIR)/t/echo tools/build $(ECHO)
	@touch $(ECHO)

echo: $(ECHO) ## the transports alone, for their suites: PORT= RUN_DIR=
	@tools/echo

start: build ## an instance in the background: PORT= RUN_DIR= WORKERS= LIMITS=off
	@tools/start

stop: ## end it: RUN_DIR=
	@tools/stop

run: build ## an instance in the foreground, with demo people
	@tools/run

token: ## a JWT for the running demo: USER= RUN_DIR= TTL=
	@USER_ID='$(USER)' tools/token

unit: setup ## C unit tests, under ASan and UBSan
	@tools/unit

test: build $(ECHO) ## all tests; T= picks files
	@tools/test

asan: setup ## nginx and the module with ASan and UBSan, into build/asan
	@tools/build-asan

test-asan: build asan ## the suite on that build
	@MENTARA_BUILD=asan tools/test

test-valgrind: build ## a shorter run under valgrind
	@tools/setup valgrind
	@MENTARA_BUILD=valgrind T="t/rest_basics.t t/rest_http.t" tools/test
	@MENTARA_BUILD=valgrind tools/node --test t/node/isolation.test.mjs t/node/keys.test.mjs

check-1.26: setup ## compile against the nginx of Debian 13
	@tools/source nginx trixie build/src-trixie
	@tools/build build/trixie.so build/src-trixie/nginx-*/ --with-compat \
		--with-http_ssl_module --with-http_v2_module --with-cc-opt=-Wextra

fuzz: ## fuzz the codecs: SECONDS= each, F= picks one
	@tools/setup clang libclang-rt-14-dev
	@FUZZ_SECONDS='$(or $(SECONDS),10)' tools/fuzz

bench: build ## measures against floors: ROWS= ROUNDS= SLICE= FULL=1
	@bench/run

lint: ## style, layers, completeness, cppcheck
	@tools/setup cppcheck
	@tools/lint

fmt: ## remove space at line ends (nginx alignment is kept by hand)
	@git ls-files '*.c' '*.h' '*.sql' '*.pm' '*.t' '*.md' \
		| xargs sed -i 's/[[:space:]]*$$//'

clean: ## remove what was built
	rm -rf build
