# Builds Darknet with Online Label Smoothing. `make help` lists the targets.

MAKEFLAGS += --no-builtin-rules

# Darknet's own switches.
GPU ?= 0
CUDNN ?= 0
OPENCV ?= 0
OPENMP ?= 1
DEBUG ?= 0
# AddressSanitizer and UndefinedBehaviorSanitizer.
SANITIZE ?= 0
# clang with libFuzzer, for `make fuzz`.
FUZZ ?= 0
# oneDNN for convolutions on the CPU; default: 1 if the library is installed.
ONEDNN ?= $(shell echo '\#include <dnnl.h>' | gcc -E - >/dev/null 2>&1 && echo 1 || echo 0)
# OpenBLAS for all other matrix products; default: 1 if the library is installed.
OPENBLAS ?= $(shell test "$$(gcc -print-file-name=libopenblas.so)" != libopenblas.so && echo 1 || echo 0)
# Architectures for nvcc, e.g. ARCH="-gencode arch=compute_90,code=sm_90"; default: all that nvcc supports.
ARCH ?=
NVCC ?= nvcc
# The folder of a Darknet to use instead of Debian's source package.
DARKNET ?=
export DARKNET

# Every combination of switches has its own folder, so that several builds can exist at the same time.
VARIANT := cpu
ifeq ($(GPU),1)
VARIANT := gpu
endif
VARIANT := $(VARIANT)$(if $(filter 1,$(CUDNN)),-cudnn)$(if $(filter 1,$(OPENCV)),-opencv)$(if $(filter \
	1,$(OPENMP)),-openmp)$(if $(filter 1,$(ONEDNN)),-onednn)$(if $(filter \
	1,$(OPENBLAS)),-openblas)$(if $(filter 1,$(DEBUG)),-debug)$(if $(filter 1,$(SANITIZE)),-sanitize)$(if $(filter \
	1,$(FUZZ)),-fuzz)
OUT := build/$(VARIANT)
HOST := build/darknet

# ---- Flags -----------------------------------------------------------------------------------------------------------

CC = gcc
CXX = g++
OWN_FOLDERS := $(addprefix src/,base ols layers data train eval accel/cpu accel/gpu commands)
INCLUDES := -Isrc -isystem $(HOST)/include -isystem $(HOST)/src
DEFINES :=
LIBS := -lz -lm -pthread
# HOST_OPT has Darknet's own flags. OWN_OPT has no -ffast-math, because with it checks for NaN would not work. With
# -fno-trapping-math, gcc can vectorize loops with a condition.
HOST_OPT := -Ofast
OWN_OPT := -O3 -ffp-contract=off -fno-trapping-math
COMMON := -fPIC -MMD -MP -fopenmp-simd
HOST_WARN := -Wall -Wno-unused-result -Wno-stringop-truncation -Wno-unknown-pragmas -Wfatal-errors
OWN_WARN := -Wall -Wextra -Wfatal-errors -Werror=implicit-function-declaration -Werror=int-conversion

ifeq ($(DEBUG),1)
HOST_OPT := -O0 -g
OWN_OPT := -O0 -g
endif
ifeq ($(SANITIZE),1)
HOST_OPT := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined
OWN_OPT := $(HOST_OPT) -fno-sanitize-recover=undefined
# stb_image in Darknet shifts bits into the sign.
HOST_OPT += -fno-sanitize=shift
LIBS += -fsanitize=address,undefined
endif
ifeq ($(FUZZ),1)
CC = clang
CXX = clang++
HOST_OPT := -O1 -g -fno-omit-frame-pointer -fsanitize=address,fuzzer-no-link
OWN_OPT := $(HOST_OPT) -fsanitize=undefined,float-cast-overflow -fno-sanitize-recover=all
HOST_WARN := -w
OWN_WARN += -Wno-pass-failed
LIBS += -fsanitize=fuzzer,address,undefined
endif
ifeq ($(OPENMP),1)
COMMON += -fopenmp
LIBS += -fopenmp
endif
ifeq ($(ONEDNN),1)
DEFINES += -DONEDNN
LIBS += -ldnnl
endif
ifeq ($(OPENBLAS),1)
DEFINES += -DOPENBLAS
LIBS += -lopenblas
endif
ifeq ($(OPENCV),1)
DEFINES += -DOPENCV $(shell pkg-config --cflags opencv4)
LIBS += $(shell pkg-config --libs opencv4) -lstdc++
endif
ifeq ($(GPU),1)
CUDA_HOME ?= $(patsubst %/bin/nvcc,%,$(shell command -v $(NVCC)))
DEFINES += -DGPU -isystem $(CUDA_HOME)/include
LIBS += -L$(CUDA_HOME)/lib64 -L$(CUDA_HOME)/lib64/stubs -lcuda -lcudart -lcublas -lcurand -lstdc++
GENCODE := $(if $(ARCH),$(ARCH),$(shell $(NVCC) --list-gpu-arch 2>/dev/null | \
	sed 's/^compute_\(.*\)/-gencode arch=compute_\1,code=sm_\1/'))
endif
ifeq ($(CUDNN),1)
DEFINES += -DCUDNN
LIBS += -lcudnn
endif

# ---- Sources ---------------------------------------------------------------------------------------------------------

LIB_NAMES := gemm utils cuda deconvolutional_layer convolutional_layer list image activations im2col col2im blas \
	crop_layer dropout_layer maxpool_layer softmax_layer data matrix network connected_layer cost_layer parser \
	option_list detection_layer route_layer upsample_layer box normalization_layer avgpool_layer layer local_layer \
	shortcut_layer logistic_layer activation_layer rnn_layer gru_layer crnn_layer demo batchnorm_layer region_layer \
	reorg_layer tree lstm_layer l2norm_layer yolo_layer iseg_layer image_opencv
KERNEL_NAMES := convolutional_kernels deconvolutional_kernels activation_kernels im2col_kernels col2im_kernels \
	blas_kernels crop_layer_kernels dropout_layer_kernels maxpool_layer_kernels avgpool_layer_kernels
EXE_NAMES := captcha lsd super art tag cifar go rnn segmenter regressor classifier coco yolo detector nightmare \
	instance-segmenter darknet

OWN_SOURCES := $(wildcard $(addsuffix /*.c,$(OWN_FOLDERS)))
# src/commands is only in the program, the other folders are also in the library.
OWN_LIB := $(patsubst src/%.c,$(OUT)/%.o,$(filter-out src/commands/%,$(OWN_SOURCES)))
OWN_EXE := $(patsubst src/%.c,$(OUT)/%.o,$(filter src/commands/%,$(OWN_SOURCES)))
LIB_OBJECTS := $(addprefix $(OUT)/darknet/,$(addsuffix .o,$(LIB_NAMES))) $(OWN_LIB)
ifeq ($(GPU),1)
LIB_OBJECTS += $(addprefix $(OUT)/darknet/,$(addsuffix .o,$(KERNEL_NAMES)))
LIB_OBJECTS += $(patsubst src/%.cu,$(OUT)/%.o,$(wildcard $(addsuffix /*.cu,$(OWN_FOLDERS))))
endif
EXE_OBJECTS := $(addprefix $(OUT)/darknet/,$(addsuffix .o,$(EXE_NAMES))) $(OWN_EXE)

# ---- The program -----------------------------------------------------------------------------------------------------

.PHONY: FORCE all variant libols install uninstall print-out print-build list-unit-tests demo test bench unit-tests fuzz \
	fuzz-run fuzz-targets crash format check-format clean distclean help
.SECONDARY:

# ./darknet and ./libdarknet.so are links to the last build. backup/ is where the .data files in data/ save weights.
all: variant
	@ln -sf $(OUT)/darknet.bin darknet
	@ln -sf $(OUT)/libdarknet.so libdarknet.so
	@mkdir -p backup
	@$(MAKE) --no-print-directory -s $(EXAMPLES)

# Darknet's own networks with OLS, as examples. They are not committed, because the cfgs are Darknet's.
EXAMPLES := cfg/yolov3-tiny-voc-ols.cfg cfg/yolov3-voc-ols.cfg

cfg/yolov3-tiny-voc-ols.cfg: $(HOST)/.prepared scripts/adapt-cfg
	@scripts/adapt-cfg $(HOST)/cfg/yolov3-tiny.cfg --classes 20 --smoothing ols --batch 64 --subdivisions 4 >$@.new
	@mv $@.new $@

cfg/yolov3-voc-ols.cfg: $(HOST)/.prepared scripts/adapt-cfg
	@scripts/adapt-cfg $(HOST)/cfg/yolov3-voc.cfg --smoothing ols --batch 64 --subdivisions 16 >$@.new
	@mv $@.new $@

# Builds the same, but does not change ./darknet.
variant: $(OUT)/darknet.bin $(OUT)/libdarknet.so $(OUT)/libols/libols.a

# A file that changes only if DARKNET names another folder than in the last build.
build/darknet.source: FORCE
	@mkdir -p build
	@echo '$(DARKNET)' | cmp -s - $@ || echo '$(DARKNET)' >$@

$(HOST)/.prepared: build/darknet.source $(sort $(wildcard darknet-patch/*)) scripts/get-darknet
	scripts/get-darknet $(HOST)

# Linked with -Ofast, as in Darknet: this makes the CPU flush denormal numbers to zero.
$(OUT)/darknet.bin: $(EXE_OBJECTS) $(OUT)/libdarknet.a
	@echo "  link $@"
	@$(CC) $(HOST_OPT) $^ -o $@ $(LIBS)

$(OUT)/libdarknet.a: $(LIB_OBJECTS)
	@rm -f $@
	@ar rcs $@ $^

# -Bsymbolic-functions: calls inside the library must not go to functions with the same names in the program that loads
# it, or in glibc, which has an error() as Darknet does.
$(OUT)/libdarknet.so: $(LIB_OBJECTS)
	@echo "  link $@"
	@$(CC) $(HOST_OPT) -shared -Wl,-soname,$(@F) -Wl,-Bsymbolic-functions $^ -o $@ $(LIBS)

# The order of include folders matters: Darknet has a cuda.h, as NVIDIA has. In Darknet's files, random_stream.h replaces
# rand() by the thread's stream, if it has one, decoder_guard.h stb_image's assert(), and host_guard.h sprintf().
GUARDS := $(addprefix -include src/data/,random_stream.h decoder_guard.h host_guard.h)
HOST_FLAGS = $(COMMON) $(HOST_OPT) $(HOST_WARN) $(INCLUDES) $(DEFINES)
OWN_FLAGS = $(COMMON) $(OWN_OPT) $(OWN_WARN) $(INCLUDES) $(DEFINES)
# nvcc takes the flags of the host compiler as one string, and has its own -MMD and -MP.
CUDA_FLAGS = $(GENCODE) $(INCLUDES) $(DEFINES) -MMD -MP --compiler-options "$(filter-out -MMD -MP,$(COMMON)) $(HOST_OPT)"

$(OUT)/darknet/%.o: $(HOST)/.prepared Makefile
	@mkdir -p $(@D)
	@source=$$(ls $(HOST)/src/$*.c $(HOST)/src/$*.cpp $(HOST)/src/$*.cu $(HOST)/examples/$*.c 2>/dev/null); \
	case $$source in \
	*.c) set -- $(CC) $(HOST_FLAGS) $(GUARDS) ;; \
	*.cpp) set -- $(CXX) $(HOST_FLAGS) ;; \
	*.cu) set -- $(NVCC) $(CUDA_FLAGS) ;; \
	esac; \
	echo "  darknet $*"; "$$@" -c $$source -o $@

$(OUT)/%.o: src/%.c $(HOST)/.prepared Makefile
	@mkdir -p $(@D)
	@echo "  src $*"
	@$(CC) -std=gnu99 $(OWN_FLAGS) -c $< -o $@

# The texts of `darknet --version`.
$(OUT)/commands/version.o: VERSION
$(OUT)/commands/version.o: DEFINES += -DOLS_VERSION='"$(shell cat VERSION)"' -DOLS_DARKNET='"$(or \
	$(DARKNET),$(shell sed -n 's/^version=//p' scripts/get-darknet))"'

$(OUT)/%.o: src/%.cu $(HOST)/.prepared Makefile
	@mkdir -p $(@D)
	@echo "  src $* (nvcc)"
	@$(NVCC) $(CUDA_FLAGS) -c $< -o $@

# ---- The method without Darknet --------------------------------------------------------------------------------------

# libols.a is src/ols for programs without Darknet, always for the CPU and one thread, whatever the switches. It
# includes those modules of src/base whose headers src/ols includes.
OLS_BASE = $(shell sed -n 's,^\#include "\(base/.*\)\.h",src/\1.c,p' src/ols/*.[ch])
OLS_SOURCES = $(wildcard src/ols/*.c $(OLS_BASE))
OLS_FLAGS = -fPIC -MMD -MP -fopenmp-simd $(OWN_OPT) $(OWN_WARN) -Isrc

# ./libols.a is a link to the last build.
libols: $(OUT)/libols/libols.a
	@ln -sf $< libols.a

# One object file in which only the names of ols.h are global, because the names of src/base are so common that they
# could conflict with those of a program.
$(OUT)/libols/libols.a: $(patsubst src/%.c,$(OUT)/libols/%.o,$(OLS_SOURCES))
	@rm -f $@
	@ld -r $^ -o $(@D)/libols.o
	@objcopy --wildcard --keep-global-symbol='ols_*' $(@D)/libols.o
	@ar rcs $@ $(@D)/libols.o

$(OUT)/libols/%.o: src/%.c Makefile
	@mkdir -p $(@D)
	@echo "  libols $*"
	@$(CC) -std=c99 $(OLS_FLAGS) -c $< -o $@

# ---- Installation ----------------------------------------------------------------------------------------------------

# The variables have the names of GNU's coding standards. Each can be given on the command line.
PREFIX ?= /usr/local
DESTDIR ?=
prefix = $(PREFIX)
exec_prefix = $(prefix)
bindir = $(exec_prefix)/bin
libdir = $(exec_prefix)/lib
includedir = $(prefix)/include
datarootdir = $(prefix)/share
datadir = $(datarootdir)
mandir = $(datarootdir)/man

INSTALLER = $(foreach name,DESTDIR prefix bindir libdir includedir datadir mandir,$(name)='$($(name))') packaging/install

# For the pkg-config file: macros that darknet.h and accel_cpu.h depend on, and libraries that a program has to link
# itself.
PUBLIC_DEFINES = $(filter -DGPU -DCUDNN -DOPENCV -DONEDNN -DOPENBLAS,$(DEFINES)) \
	$(if $(filter 1,$(GPU)),-I$(CUDA_HOME)/include)
PUBLIC_LIBS = $(filter -fsanitize=%,$(LIBS))

install: variant $(EXAMPLES)
	@OUT='$(OUT)' HOST='$(HOST)' DEFINES='$(PUBLIC_DEFINES)' LIBS='$(PUBLIC_LIBS)' $(INSTALLER) install

uninstall:
	@$(INSTALLER) uninstall

# ---- Tests and demonstration -----------------------------------------------------------------------------------------

# T=<part of a file's name>[:<part of a case's name>] selects tests. Only test programs have cases, so scripts are left
# out if a case is given.
T :=
COMMA := ,
T_WORDS := $(subst :, ,.$(T))
T_FILE := $(patsubst .%,%,$(firstword $(T_WORDS)))
T_CASE := $(word 2,$(T_WORDS))
chosen = $(foreach file,$(1),$(if $(T_FILE),$(if $(findstring $(T_FILE),$(notdir $(file))),$(file)),$(file)))
UNIT_TESTS := $(call chosen,$(patsubst tests/unit/%.c,$(OUT)/tests/%,$(wildcard tests/unit/test_*.c)))
SCRIPT_TESTS := $(if $(T_CASE),,$(call chosen,$(wildcard tests/*.t)))
TEST_FLAGS = -std=gnu99 $(OWN_FLAGS) -Itests -DTESTS_DIR='"$(CURDIR)/tests"'

$(OUT)/tests/%: tests/unit/%.c $(OUT)/tests/select_case.o $(OUT)/libdarknet.a
	@mkdir -p $(@D)
	@echo "  test $*"
	@$(CC) $(TEST_FLAGS) $(filter %.c %.o %.a,$^) -o $@ -lcmocka $(LIBS)

$(OUT)/tests/select_case.o: tests/helpers/select_case.c $(HOST)/.prepared
	@mkdir -p $(@D)
	@$(CC) $(TEST_FLAGS) -c $< -o $@

unit-tests: $(UNIT_TESTS)
	@:

# Fuzz targets: with libFuzzer's main, or with one that replays inputs. fuzz.c takes these functions' calls.
FUZZ_NAMES := $(filter-out fuzz replay,$(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*.c)))
FUZZ_TARGETS := $(addprefix $(OUT)/fuzz/,$(FUZZ_NAMES))
FUZZ_MAIN := $(addprefix $(OUT)/fuzz/,fuzz.o $(if $(filter 1,$(FUZZ)),,replay.o))
FUZZ_WRAP := $(addprefix -Wl$(COMMA)--wrap=,exit malloc calloc realloc free fopen fclose)

$(OUT)/fuzz/%.o: tests/fuzz/%.c $(HOST)/.prepared Makefile
	@mkdir -p $(@D)
	@$(CC) $(TEST_FLAGS) -c $< -o $@

$(OUT)/fuzz/%: $(OUT)/fuzz/%.o $(FUZZ_MAIN) $(OUT)/libdarknet.a
	@echo "  fuzz target $*"
	@$(CC) $(OWN_FLAGS) $(FUZZ_WRAP) $^ -o $@ $(LIBS)

fuzz-targets: $(FUZZ_TARGETS)
	@:

# Seconds for each target, and the most runs of each; 0: no limit.
FUZZ_SECONDS ?= 30
FUZZ_RUNS ?= 0

fuzz:
	@scripts/install-dependencies fuzz
	@$(MAKE) --no-print-directory FUZZ=1 OPENMP=0 ONEDNN=0 OPENBLAS=0 fuzz-run

# Minutes for all of it.
CRASH_MINUTES ?= 5

crash:
	@$(MAKE) --no-print-directory variant
	@DARKNET_PROGRAM=$(OUT)/darknet.bin tests/crash/run --minutes $(CRASH_MINUTES) $(CRASH)

fuzz-run: fuzz-targets
	@tests/fuzz/run --seconds $(FUZZ_SECONDS) --runs $(FUZZ_RUNS) $(call chosen,$(FUZZ_TARGETS))

# A second make, because ONEDNN and OPENBLAS depend on packages that were installed just before.
test:
	@scripts/install-dependencies test
	@$(MAKE) --no-print-directory all unit-tests fuzz-targets
	@TEST_CASE='$(T_CASE)' tests/run $(SCRIPT_TESTS) $$($(MAKE) --no-print-directory -s list-unit-tests)

C_FILES = $(shell find src tests docs -name '*.[ch]' -o -name '*.cpp' -o -name '*.cu' -o -name '*.cuh')

# With clang-format 14, as in Debian 12; other versions break some lines differently.
format:
	@clang-format -i $(C_FILES)

check-format:
	@clang-format --version >/dev/null
	@wrong=$$(for file in $(C_FILES); do clang-format $$file | cmp -s - $$file || echo "  $$file"; done); \
	[ -z "$$wrong" ] || { echo "make format changes these files:"; echo "$$wrong"; exit 1; } >&2

# Prints the build folder of these switches.
print-out:
	@echo $(OUT)

# Prints the build folder, the libraries to link to, and the macros that sources are compiled with.
print-build:
	@echo $(OUT)
	@echo $(LIBS)
	@echo $(DEFINES)

list-unit-tests:
	@echo $(UNIT_TESTS)

demo:
	@scripts/install-dependencies demo
	@$(MAKE) --no-print-directory
	@scripts/studies/demo

bench:
	@scripts/install-dependencies bench
	@$(MAKE) --no-print-directory variant >&2
	@MAKE="$(MAKE)" tests/bench/run $(BENCH)

clean:
	rm -rf build/cpu* build/gpu* build/stock* darknet libdarknet.so libols.a $(EXAMPLES)

distclean: clean
	rm -rf build results

help:
	@sed -n 's/^#: \{0,1\}//p' Makefile

#: make              builds Darknet with the plugin: ./darknet and ./libdarknet.so
#:                   switches, as in Darknet: GPU=1 CUDNN=1 OPENCV=1 OPENMP=0 DEBUG=1 (default: OPENMP=1, others 0)
#:                   SANITIZE=1  with AddressSanitizer and UndefinedBehaviorSanitizer
#:                   ONEDNN=0    without the fast CPU paths (default: 1 if oneDNN is installed)
#:                   OPENBLAS=0  without OpenBLAS for other matrix products (default: 1 if it is installed)
#:                   ARCH=...    for nvcc, e.g. ARCH="-gencode arch=compute_90,code=sm_90"
#:                   DARKNET=<folder>  patches a copy of that Darknet instead of Debian's source package
#:                   every combination of switches is built in its own folder; ./darknet is a link to the last one
#: make variant      the same, but does not change ./darknet
#: make install      installs the program, its libraries, cfg/, data/, man page and bash completion below PREFIX
#:                   (/usr/local), e.g. make install PREFIX=$HOME/.local; DESTDIR=<folder> for packages; bindir=,
#:                   libdir=, includedir=, datadir= and mandir= set single folders. Switches as for make
#: make uninstall    removes what was installed; give the same folders
#: make libols       builds libols.a, the method for programs without Darknet (docs/examples/libols.c)
#: make demo         trains and compares a small detector with hard labels, LS and OLS; installs missing packages
#: make test         runs all tests; installs missing packages
#:                   T=checkpoint          only test programs and scripts with this in their file name
#:                   T=ols_loss:saturated  only cases with this in their name, of these programs; T=:frozen: of all
#: make bench        compares the speed with unpatched Darknet and PyTorch; about 15 minutes; installs missing packages
#:                   BENCH="--only steps,heads" passes options to tests/bench/run; see its --help. On a GPU:
#:                   make bench GPU=1 CUDNN=1 PYTHON=python3 BENCH="--only gpu", with a PyTorch that has CUDA
#: make fuzz         looks for inputs that crash a reader: libFuzzer, half a minute for each; installs missing packages
#:                   FUZZ_SECONDS=300 FUZZ_RUNS=1000000 for each; FUZZ_RUNS alone needs FUZZ_SECONDS=0
#:                   T=photo  only targets with this in their name
#: make crash        kills trainings, damages their checkpoints and fills disks; CRASH_MINUTES=5
#:                   CRASH="--seed 7 --only flips" passes options to tests/crash/run; see its --help
#: make unit-tests   builds the test programs, but does not run them
#: make format       formats the C files with clang-format; make check-format lists the files that it would change
#: make clean        removes what was built; make distclean also removes Darknet's source and the results

# What each object was compiled from. Without build/darknet, everything is compiled anew, and these files would only ask
# for sources that are not there yet.
ifneq ($(wildcard $(HOST)/.prepared),)
-include $(wildcard $(OUT)/*/*.d $(OUT)/*/*/*.d)
endif
