/* Tests of src/base: numbers from text, atomic files, JSON, progress lines, growing arrays, gnuplot, child processes,
 * errors. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* posix_openpt */
#endif
#include "helpers/test_helpers.h"

#include "base/atomic_file.h"
#include "base/child_process.h"
#include "base/error.h"
#include "base/gnuplot.h"
#include "base/json_reader.h"
#include "base/json_writer.h"
#include "base/memory.h"
#include "base/nearest_name.h"
#include "base/numbers.h"
#include "base/progress.h"
#include "base/splitmix64.h"

#include <errno.h>
#include <fcntl.h>
#include <float.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- Files of the tests ------------------------------------------------------------------------------------------ */

static char folder[] = "/tmp/test_base.XXXXXX";

static const char *in_folder(const char *name)
{
    static char path[2][256];
    static int turn;
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

static void put_file(const char *path, const char *content)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(content, file);
    assert_int_equal(fclose(file), 0);
}

/* The content of a file, or "(none)" if there is no such file. Static storage, valid until the next call. */
static char *content_of(const char *path)
{
    static char text[8192];
    FILE *file = fopen(path, "r");
    size_t length;
    if (!file) return strcpy(text, "(none)");
    length = fread(text, 1, sizeof text - 1, file);
    text[length] = 0;
    fclose(file);
    return text;
}

static int exists(const char *path)
{
    struct stat is;
    return !stat(path, &is);
}

static int make_folder(void **state)
{
    (void)state;
    return !mkdtemp(folder);
}

static int remove_folder(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

/* Sets `said` to what `statement` writes to the file descriptor `fd`, which is redirected to a file meanwhile. */
#define CAPTURE(fd, said, statement)                                                                                   \
    do {                                                                                                               \
        const int kept_ = dup(fd), file_ = open(in_folder("said"), O_RDWR | O_CREAT | O_TRUNC, 0600);                  \
        fflush(0);                                                                                                     \
        assert_true(kept_ >= 0 && file_ >= 0 && dup2(file_, fd) == fd);                                                \
        statement;                                                                                                     \
        fflush(0);                                                                                                     \
        assert_true(dup2(kept_, fd) == fd);                                                                            \
        close(kept_);                                                                                                  \
        close(file_);                                                                                                  \
        said = content_of(in_folder("said"));                                                                          \
    } while (0)

/* Sets `status` to the exit status of a child process that runs `statement`; 77 if the statement does not exit. */
#define STATUS_OF_CHILD(status, statement)                                                                             \
    do {                                                                                                               \
        pid_t child_;                                                                                                  \
        fflush(0);                                                                                                     \
        child_ = fork();                                                                                               \
        assert_true(child_ >= 0);                                                                                      \
        if (!child_) {                                                                                                 \
            statement;                                                                                                 \
            _exit(77);                                                                                                 \
        }                                                                                                              \
        assert_int_equal(waitpid(child_, &(status), 0), child_);                                                       \
        assert_true(WIFEXITED(status));                                                                                \
        (status) = WEXITSTATUS(status);                                                                                \
    } while (0)

/* ---- Numbers ----------------------------------------------------------------------------------------------------- */

static void decimal_numbers_in_the_range_are_read(void **test)
{
    static const struct {
        const char *text;
        double value;
    } cases[] = {{"0", 0},     {"-2", -2},     {"+.5", .5},  {"5.", 5},    {"1e-3", .001},
                 {"1E2", 100}, {"-1e2", -100}, {"100", 100}, {"1e-999", 0}};
    double value;
    size_t i;
    (void)test;
    for (i = 0; i < COUNT(cases); ++i) {
        value = 7;
        assert_int_equal(parse_number(cases[i].text, -100, 100, &value), 0);
        assert_close(value, cases[i].value, 0);
    }
}

static void other_text_is_no_number_and_leaves_the_value(void **test)
{
    static const char *const texts[] = {"",  " 1",  "1 ", "1x",  "x",     "0x10", "nan",    "inf",   "1e",
                                        "-", "--1", ".",  "1,5", "1e999", "101",  "-100.1", "1.5.2", "1\n"};
    double value = 7;
    size_t i;
    (void)test;
    for (i = 0; i < COUNT(texts); ++i) {
        assert_int_equal(parse_number(texts[i], -100, 100, &value), -1);
        assert_close(value, 7, 0);
    }
    assert_int_equal(parse_number("1e999", -HUGE_VAL, HUGE_VAL, &value), -1);
}

static void whole_numbers_are_digits_in_the_range(void **test)
{
    static const char *const wrong[] = {
        "", "-", "+1", " 1", "1 ", "1.0", "1e1", "x", "0x1", "--1", "11", "-11", "99999999999999999999"};
    long long value = 7;
    size_t i;
    (void)test;
    for (i = 0; i < COUNT(wrong); ++i) {
        assert_int_equal(parse_whole_number(wrong[i], -10, 10, &value), -1);
        assert_int_equal(value, 7);
    }
    assert_int_equal(parse_whole_number("-10", -10, 10, &value), 0);
    assert_int_equal(value, -10);
    assert_int_equal(parse_whole_number("010", -10, 10, &value), 0);
    assert_int_equal(value, 10);
    assert_int_equal(parse_whole_number("9223372036854775807", 0, INT64_MAX, &value), 0);
    assert_true(value == INT64_MAX);
    assert_int_equal(parse_whole_number("9223372036854775808", 0, INT64_MAX, &value), -1);
}

/* ---- Files that appear whole or not at all ----------------------------------------------------------------------- */

static void a_file_appears_when_it_is_committed(void **test)
{
    atomic_file file;
    (void)test;
    put_file(in_folder("whole"), "before");
    put_file(in_folder("whole.tmp"), "left by a process that was killed");
    assert_int_equal(atomic_open(&file, in_folder("whole")), 0);
    fputs("after", file.stream);
    fflush(file.stream);
    assert_string_equal(content_of(in_folder("whole")), "before");
    assert_int_equal(atomic_commit(&file), 0);
    assert_string_equal(content_of(in_folder("whole")), "after");
    assert_false(exists(in_folder("whole.tmp")));
    assert_null(file.path);
}

static void a_file_that_is_discarded_was_never_there(void **test)
{
    atomic_file file;
    (void)test;
    put_file(in_folder("kept"), "before");
    assert_int_equal(atomic_open(&file, in_folder("kept")), 0);
    fputs("after", file.stream);
    atomic_discard(&file);
    assert_string_equal(content_of(in_folder("kept")), "before");
    assert_false(exists(in_folder("kept.tmp")));
    atomic_discard(&file); /* a second call does nothing */
}

static void a_file_of_another_program_is_published_in_two_steps(void **test)
{
    atomic_file file;
    (void)test;
    assert_int_equal(atomic_open(&file, in_folder("foreign")), 0);
    assert_int_equal(atomic_finish(&file), 0);
    assert_false(exists(in_folder("foreign")));
    put_file(file.temporary, "written elsewhere");
    assert_int_equal(atomic_publish(&file), 0);
    assert_string_equal(content_of(in_folder("foreign")), "written elsewhere");
    assert_false(exists(in_folder("foreign.tmp")));
}

static void a_place_that_cannot_be_written_is_an_error(void **test)
{
    atomic_file file;
    (void)test;
    assert_int_equal(atomic_open(&file, in_folder("nowhere/x")), ENOENT);
    assert_int_equal(atomic_check(in_folder("nowhere/x")), ENOENT);
    assert_int_equal(atomic_check(in_folder("x")), 0);
    assert_false(exists(in_folder("x")) || exists(in_folder("x.tmp")));
    assert_int_equal(mkdir(in_folder("occupied"), 0700), 0);
    put_file(in_folder("occupied/inside"), "");
    assert_int_equal(atomic_open(&file, in_folder("occupied")), EISDIR);
    assert_true(exists(in_folder("occupied/inside")));
    assert_false(exists(in_folder("occupied.tmp")));
}

static void what_is_no_regular_file_is_written_to_and_stays(void **test)
{
    atomic_file file;
    struct stat is;
    char text[8] = {0};
    int reader;
    (void)test;
    assert_int_equal(mkfifo(in_folder("pipe"), 0600), 0);
    reader = open(in_folder("pipe"), O_RDONLY | O_NONBLOCK);
    assert_int_equal(atomic_open(&file, in_folder("pipe")), 0);
    assert_true(atomic_writes_through(&file));
    fputs("through", file.stream);
    assert_int_equal(atomic_commit(&file), 0);
    assert_int_equal(atomic_check(in_folder("pipe")), 0);
    assert_int_equal(read(reader, text, sizeof text), 7);
    assert_string_equal(text, "through");
    assert_int_equal(atomic_open(&file, in_folder("pipe")), 0);
    atomic_discard(&file);
    close(reader);
    assert_int_equal(stat(in_folder("pipe"), &is), 0);
    assert_true(S_ISFIFO(is.st_mode));
    assert_false(exists(in_folder("pipe.tmp")));
}

static void a_link_stays_and_what_it_points_to_is_replaced(void **test)
{
    atomic_file file;
    struct stat is;
    (void)test;
    assert_int_equal(mkdir(in_folder("links"), 0700), 0);
    assert_int_equal(symlink("../target", in_folder("links/second")), 0);
    assert_int_equal(symlink("second", in_folder("links/first")), 0);
    assert_int_equal(atomic_open(&file, in_folder("links/first")), 0); /* nothing is there yet */
    assert_int_equal(atomic_commit(&file), 0);
    assert_string_equal(content_of(in_folder("target")), "");
    assert_int_equal(atomic_open(&file, in_folder("links/first")), 0);
    fputs("after", file.stream);
    fflush(file.stream);
    assert_string_equal(content_of(in_folder("target")), "");
    assert_int_equal(atomic_commit(&file), 0);
    assert_string_equal(content_of(in_folder("target")), "after");
    assert_int_equal(lstat(in_folder("links/first"), &is), 0);
    assert_true(S_ISLNK(is.st_mode));
    assert_int_equal(symlink("circle", in_folder("links/circle")), 0);
    assert_int_equal(atomic_open(&file, in_folder("links/circle")), ELOOP);
}

/* In a child, whose files may have 10 bytes. 0: the error is reported, the old file is there, and no temporary one.
 * Without a buffer the write itself fails, and only the stream remembers it; with one, the flush at the end does. */
static int write_too_much(const char *path, int buffered)
{
    const struct rlimit most = {10, 10};
    char temporary[300];
    atomic_file file;
    int error;
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &most)) return 1;
    if (atomic_open(&file, path)) return 2;
    if (!buffered) setvbuf(file.stream, 0, _IONBF, 0);
    fputs("more than ten bytes", file.stream);
    error = atomic_commit(&file);
    if (error != (buffered ? EFBIG : EIO)) return 3;
    snprintf(temporary, sizeof temporary, "%s.tmp", path);
    if (exists(temporary)) return 4;
    return strcmp(content_of(path), "before") ? 5 : 0;
}

static void a_disk_that_is_full_leaves_the_file_before(void **test)
{
    int status, buffered;
    (void)test;
    put_file(in_folder("full"), "before");
    for (buffered = 0; buffered < 2; ++buffered) {
        STATUS_OF_CHILD(status, _exit(write_too_much(in_folder("full"), buffered)));
        assert_int_equal(status, 0);
    }
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

static void strings_are_escaped_and_numbers_bring_the_double_back(void **test)
{
    static const double numbers[] = {0, -1, .1, 1. / 3, 1e300, DBL_MIN, DBL_MAX, 123456789};
    const char *text = "a \"b\" \\ c\nd\te\x01";
    char expected[64], back[JSON_STRING];
    FILE *out;
    json_reader r;
    size_t i;
    (void)test;
    out = fopen(in_folder("json"), "w");
    assert_non_null(out);
    json_put_string(out, text);
    fclose(out);
    assert_string_equal(content_of(in_folder("json")), "\"a \\\"b\\\" \\\\ c\\u000ad\\u0009e\\u0001\"");
    assert_true(json_open(&r, in_folder("json")));
    assert_true(json_string(&r, back) && json_end(&r));
    json_close(&r);
    assert_string_equal(back, text);
    for (i = 0; i < COUNT(numbers); ++i) {
        out = fopen(in_folder("json"), "w");
        json_put_number(out, numbers[i]);
        fclose(out);
        assert_true(json_open(&r, in_folder("json")));
        assert_true(json_number(&r) == numbers[i]);
        assert_true(json_end(&r));
        json_close(&r);
    }
    put_file(in_folder("json"), "\xef\xbb\xbf\r\n1\r\n");
    assert_true(json_open(&r, in_folder("json")));
    assert_true(json_number(&r) == 1 && json_end(&r));
    json_close(&r);
    put_file(in_folder("json"), "\xef\xbb[1]");
    assert_false(json_open(&r, in_folder("json")));
    json_close(&r);
    out = fopen(in_folder("json"), "w");
    json_put_member(out, "a\"b", .5);
    fputs(" ", out);
    json_put_member(out, "n", NAN);
    fputs(" ", out);
    json_put_number(out, -HUGE_VAL);
    fclose(out);
    snprintf(expected, sizeof expected, "\"a\\\"b\": %.17g \"n\": null null", .5);
    assert_string_equal(content_of(in_folder("json")), expected);
}

static void the_first_error_of_a_json_file_is_kept_with_its_place(void **test)
{
    json_reader r;
    char expected[300];
    (void)test;
    put_file(in_folder("json"), "[1,\n  x, 2]");
    assert_true(json_open(&r, in_folder("json")));
    assert_true(json_begin(&r, '[') && json_more(&r, ']'));
    assert_close(json_number(&r), 1, 0);
    assert_true(json_more(&r, ']'));
    assert_close(json_number(&r), 0, 0);
    assert_false(json_more(&r, ']'));
    assert_false(json_end(&r));
    snprintf(expected, sizeof expected, "%s:2:3: 'x' where a number should be", in_folder("json"));
    assert_string_equal(r.error, expected);
    json_close(&r);
}

/* ---- Progress ---------------------------------------------------------------------------------------------------- */

static void take_steps(size_t total, double quiet_seconds)
{
    progress p;
    size_t i;
    progress_begin(&p, "images", total, (double)total, quiet_seconds);
    for (i = 0; i < total; ++i) progress_step(&p, 1);
    progress_end(&p);
}

/* Splits the text into lines. Returns their number. */
static int lines_of(char *text, char *lines[], int most)
{
    int count = 0;
    char *line = text ? strtok(text, "\n") : 0;
    for (; line && count < most; line = strtok(0, "\n")) lines[count++] = line;
    return count;
}

static void progress_is_a_line_for_every_tenth(void **test)
{
    static const size_t totals[] = {1, 3, 10, 1000};
    static const int wanted[] = {1, 3, 10, 10};
    size_t k;
    (void)test;
    for (k = 0; k < COUNT(totals); ++k) {
        char *said, *lines[20], begin[64];
        int count, i;
        CAPTURE(2, said, take_steps(totals[k], 0));
        count = lines_of(said, lines, COUNT(lines));
        assert_int_equal(count, wanted[k]);
        for (i = 0; i < count; ++i) assert_true(is_progress_line(lines[i]));
        snprintf(begin, sizeof begin, "%zu/%zu images, ", totals[k], totals[k]);
        assert_true(!strncmp(lines[count - 1], begin, strlen(begin)));
        assert_non_null(strstr(lines[count - 1], " images/s, ETA 0:00:00"));
    }
    assert_false(is_progress_line("mean average precision (mAP@0.50) = 0.5"));
}

static void short_work_says_nothing(void **test)
{
    char *said;
    (void)test;
    CAPTURE(2, said, take_steps(100, 1000));
    assert_string_equal(said, "");
}

/* Reads from a terminal until the first line end, or for two seconds. */
static void read_terminal(int terminal, char *said, size_t size)
{
    struct pollfd wait = {terminal, POLLIN, 0};
    size_t length = 0;
    ssize_t n = 1;
    while (n > 0 && length + 1 < size && !memchr(said, '\n', length) && poll(&wait, 1, 2000) > 0) {
        n = read(terminal, said + length, size - 1 - length);
        if (n > 0) length += (size_t)n;
    }
    said[length] = 0;
}

/* On a terminal, progress is one line that is overwritten; progress_end ends it. */
static void a_terminal_has_one_line(void **test)
{
    const int terminal = posix_openpt(O_RDWR | O_NOCTTY), kept = dup(2);
    int slave;
    char said[4096];
    (void)test;
    if (terminal < 0 || grantpt(terminal) || unlockpt(terminal)) skip();
    slave = open(ptsname(terminal), O_RDWR | O_NOCTTY);
    if (slave < 0) skip();
    dup2(slave, 2);
    take_steps(100, 0);
    dup2(kept, 2);
    read_terminal(terminal, said, sizeof said);
    close(kept);
    close(slave);
    close(terminal);
    assert_int_equal(said[0], '\r');
    assert_non_null(strstr(said, "100/100 images"));
    assert_non_null(strchr(said, '\n'));
}

static void the_parts_of_progress(void **test)
{
    smoothed_mean mean = {.5, 0, 0};
    char text[32];
    double before;
    (void)test;
    assert_close(smoothed_value(&mean), 0, 0);
    smoothed_add(&mean, 4);
    assert_close(smoothed_value(&mean), 4, 0);
    smoothed_add(&mean, 1); /* weights 1/2 and 1 */
    assert_close(smoothed_value(&mean), 2, 1e-15);
    format_duration(3661.6, text);
    assert_string_equal(text, "1:01:02");
    format_duration(59.4, text);
    assert_string_equal(text, "0:00:59");
    format_duration(400 * 3600., text);
    assert_string_equal(text, "400:00:00");
    format_duration(-1, text);
    assert_string_equal(text, "0:00:00");
    format_duration(NAN, text);
    assert_string_equal(text, "0:00:00");
    before = monotonic_seconds();
    assert_true(monotonic_seconds() >= before);
}

/* ---- Memory ------------------------------------------------------------------------------------------------------ */

static void an_array_grows_and_keeps_what_it_holds(void **test)
{
    enum { ITEMS = 1000 };
    int *items = 0, moves = 0;
    size_t count = 0, capacity = 0, before, i;
    (void)test;
    while (count < ITEMS) {
        before = capacity;
        items = (int *)grow_array(items, count, &capacity, sizeof *items);
        moves += capacity != before;
        assert_true(capacity > count);
        items[count] = (int)count;
        ++count;
    }
    for (i = 0; i < ITEMS; ++i) assert_int_equal(items[i], i);
    assert_in_range(moves, 2, 12); /* the array doubles, instead of growing by one */
    free(items);
}

static void memory_that_is_not_there_ends_the_program(void **test)
{
    char *said;
    int status;
    (void)test;
#ifdef __SANITIZE_ADDRESS__
    skip(); /* AddressSanitizer ends the program itself */
#endif
    CAPTURE(2, said, STATUS_OF_CHILD(status, xmalloc((size_t)1 << 62)));
    assert_int_equal(status, 1);
    assert_string_equal(said, "darknet: out of memory: 4611686018427387904 bytes are not to be had\n");
    free(xmalloc(0));
    free(xcalloc(0, 8));
}

/* ---- Pictures ---------------------------------------------------------------------------------------------------- */

static void quotes_are_doubled_inside_of_quotes(void **test)
{
    char *text;
    size_t size;
    FILE *script = open_memstream(&text, &size);
    (void)test;
    gnuplot_quote(script, "it's \"$HOME\" \\n");
    fclose(script);
    assert_string_equal(text, "'it''s \"$HOME\" \\n'");
    free(text);
}

static void a_text_cannot_end_its_line_nor_be_a_format(void **test)
{
    char *text;
    size_t size;
    FILE *script = open_memstream(&text, &size);
    (void)test;
    gnuplot_quote(script, "a'\n!touch x\r 5%");
    gnuplot_quote_tic(script, "5% '\t");
    fclose(script);
    assert_string_equal(text, "'a'' !touch x  5%''5%% '' '");
    free(text);
}

/* Draws into a file of the folder. `program` is the text of a script that replaces gnuplot; NULL: there is no gnuplot.
 * Returns the result of gnuplot_end. */
static const char *draw_with(const char *program, const char *name)
{
    gnuplot_picture p;
    const char *error;
    char *path = xstrdup(getenv("PATH"));
    unlink(in_folder("gnuplot"));
    if (program) {
        put_file(in_folder("gnuplot"), program);
        chmod(in_folder("gnuplot"), 0700);
    }
    setenv("PATH", folder, 1);
    gnuplot_begin(&p, in_folder(name), 60, 40);
    fputs("plot sin(x)\n", p.script);
    error = gnuplot_end(&p);
    setenv("PATH", path, 1);
    free(path);
    return error;
}

/* A gnuplot that writes the script it reads into the output file which the script names, without and with the end of a
 * PNG. */
#define HALF_A_SCRIBE                                                                                                  \
    "#!/bin/sh\nread -r line\nfile=${line#set output \\'}\nfile=${file%\\'}\n"                                         \
    "while read -r line; do echo \"$line\"; done >\"$file\"\n"
static const char scribe[] = HALF_A_SCRIBE "printf 'IEND\\256B`\\202' >>\"$file\"\n";

static void gnuplot_gets_the_script_and_its_file_appears(void **test)
{
    (void)test;
    put_file(in_folder("picture.png"), "before");
    assert_null(draw_with(scribe, "picture.png"));
    assert_string_equal(content_of(in_folder("picture.png")),
                        "set terminal pngcairo noenhanced size 60,40\nplot sin(x)\nIEND\xae\x42\x60\x82");
    assert_false(exists(in_folder("picture.png.tmp")));
}

/* Whatever gnuplot finds special in a path, it is a file's name like any other. */
static void a_path_is_never_a_command(void **test)
{
    static const char drawing[] = "picture\n!touch ran %d'$(touch ran)`touch ran`.png";
    static const char data[] = "< touch ran";
    gnuplot_picture p;
    char *before;
    (void)test;
    if (system("command -v gnuplot >/dev/null")) skip(); /* the real one is asked */
    before = getcwd(0, 0);
    assert_int_equal(chdir(folder), 0);
    put_file(data, "1 2\n3 4\n");
    gnuplot_begin(&p, drawing, 60, 40);
    fputs("stats ", p.script);
    gnuplot_quote_file(&p, data);
    fputs(" nooutput\nplot ", p.script);
    gnuplot_quote_file(&p, data); /* a second time */
    fputs("\n", p.script);
    assert_null(gnuplot_end(&p));
    assert_true(exists(drawing));
    assert_false(exists("ran"));
    gnuplot_begin(&p, "none.png", 60, 40);
    fputs("plot ", p.script);
    gnuplot_quote_file(&p, "absent.csv");
    assert_string_equal(gnuplot_end(&p), "No such file or directory");
    assert_false(exists("none.png"));
    assert_int_equal(chdir(before), 0);
    free(before);
}

static void a_picture_that_cannot_be_drawn_is_an_error_in_words(void **test)
{
    (void)test;
    put_file(in_folder("old.png"), "before");
    assert_string_equal(draw_with(0, "old.png"), "gnuplot is missing: install gnuplot-nox");
    assert_string_equal(draw_with("#!/bin/sh\necho 'undefined variable: y'\necho '      ^'\necho\nexit 1\n", "old.png"),
                        "undefined variable: y");
    assert_string_equal(draw_with("#!/bin/sh\nexit 3\n", "old.png"), "gnuplot failed");
    assert_string_equal(draw_with(HALF_A_SCRIBE, "old.png"), "gnuplot could not write all of it; the disk may be full");
    assert_string_equal(draw_with("#!/bin/sh\n", "old.png"), "gnuplot could not write all of it; the disk may be full");
    assert_string_equal(draw_with(scribe, "nowhere/x.png"), "No such file or directory");
    assert_string_equal(content_of(in_folder("old.png")), "before");
    assert_false(exists(in_folder("old.png.tmp")));
}

/* ---- Child processes --------------------------------------------------------------------------------------------- */

static void join_lines(void *context, char *text)
{
    strcat((char *)context, text);
    strcat((char *)context, "|");
}

static int run_shell(const char *script, char *lines)
{
    char *argv[] = {(char *)"sh", (char *)"-c", (char *)script, 0};
    *lines = 0;
    return child_run("sh", argv, -1, join_lines, lines);
}

static void a_child_hands_on_its_lines_and_its_status(void **test)
{
    char lines[512], *none[] = {(char *)"no-such-program", 0};
    (void)test;
    assert_int_equal(run_shell("echo one; echo two >&2; printf 'three\\rfour'; exit 5", lines), 5);
    assert_string_equal(lines, "one|two|three|four|");
    assert_int_equal(run_shell("cat", lines), 0); /* stdin is empty */
    assert_string_equal(lines, "");
    assert_int_equal(run_shell("kill -9 $$", lines), 128 + 9);
    assert_int_equal(child_run("no-such-program", none, -1, 0, 0), -1);
    assert_int_equal(errno, ENOENT);
}

/* ---- Errors ------------------------------------------------------------------------------------------------------ */

static void die_prints_one_line_and_ends_with_status_1(void **test)
{
    char *said;
    int status;
    (void)test;
    CAPTURE(2, said, STATUS_OF_CHILD(status, die("%s has %d lines", "x.list", 3)));
    assert_int_equal(status, 1);
    assert_string_equal(said, "darknet: x.list has 3 lines\n");
    CAPTURE(2, said, STATUS_OF_CHILD(status, (fputs("conv 3 x 3", stderr), note_open_line(1), die("[net]: no batch"))));
    assert_string_equal(said, "conv 3 x 3\ndarknet: [net]: no batch\n");
}

static void errors_and_notes_are_lines_and_the_program_goes_on(void **test)
{
    char *said;
    int result = 0;
    (void)test;
    CAPTURE(2, said, result = report_error("cannot read %s", "y"); report_note("%d boxes", 2));
    assert_int_equal(result, 1);
    assert_string_equal(said, "darknet: cannot read y\ndarknet: note: 2 boxes\n");
}

/* ---- splitmix64 -------------------------------------------------------------------------------------------------- */

/* The first numbers of the reference implementation with seed 1234567. */
static void splitmix64_gives_the_published_numbers(void **test)
{
    static const uint64_t published[] = {6457827717110365317u, 3203168211198807973u, 9817491932198370423u,
                                         4593380528125082431u, 16408922859458223821u};
    uint64_t stream = 1234567;
    size_t i;
    (void)test;
    for (i = 0; i < COUNT(published); ++i) assert_true(splitmix64_next(&stream) == published[i]);
}

/* ---- The nearest name -------------------------------------------------------------------------------------------- */

static void letters_are_added_removed_replaced_or_swapped(void **test)
{
    char long_name[300];
    (void)test;
    assert_int_equal(edit_distance("", ""), 0);
    assert_int_equal(edit_distance("", "abc"), 3);
    assert_int_equal(edit_distance("smothing", "smoothing"), 1);
    assert_int_equal(edit_distance("aplha", "alpha"), 1);
    assert_int_equal(edit_distance("Alpha", "alpha"), 0);
    assert_int_equal(edit_distance("kitten", "sitting"), 3);
    assert_int_equal(edit_distance("ca", "abc"), 3); /* 2 where a letter may be touched twice */
    memset(long_name, 'a', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = 0;
    assert_int_equal(edit_distance(long_name, ""), 255);
}

static void a_mistyped_name_has_few_mistakes(void **test)
{
    static const char *const names[] = {"-thresh", "-top", "-t", "-seed"};
    (void)test;
    assert_string_equal(nearest_name("-tresh", names, 4), "-thresh");
    assert_string_equal(nearest_name("--thresh", names, 4), "-thresh");
    assert_string_equal(nearest_name("-tip", names, 4), "-top");
    assert_null(nearest_name("-frobnicate", names, 4));
    assert_null(nearest_name("-x", names, 4));   /* one letter is near to every other */
    assert_null(nearest_name("-pot", names, 4)); /* two mistakes in three letters */
    assert_null(nearest_name("-tresh", names, 0));
    assert_true(is_mistyped("Alpha", "alpha"));
    assert_false(is_mistyped("alpha", "alpha"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimal_numbers_in_the_range_are_read),
        cmocka_unit_test(other_text_is_no_number_and_leaves_the_value),
        cmocka_unit_test(whole_numbers_are_digits_in_the_range),
        cmocka_unit_test(a_file_appears_when_it_is_committed),
        cmocka_unit_test(a_file_that_is_discarded_was_never_there),
        cmocka_unit_test(a_file_of_another_program_is_published_in_two_steps),
        cmocka_unit_test(a_place_that_cannot_be_written_is_an_error),
        cmocka_unit_test(what_is_no_regular_file_is_written_to_and_stays),
        cmocka_unit_test(a_link_stays_and_what_it_points_to_is_replaced),
        cmocka_unit_test(a_disk_that_is_full_leaves_the_file_before),
        cmocka_unit_test(strings_are_escaped_and_numbers_bring_the_double_back),
        cmocka_unit_test(the_first_error_of_a_json_file_is_kept_with_its_place),
        cmocka_unit_test(progress_is_a_line_for_every_tenth),
        cmocka_unit_test(short_work_says_nothing),
        cmocka_unit_test(a_terminal_has_one_line),
        cmocka_unit_test(the_parts_of_progress),
        cmocka_unit_test(an_array_grows_and_keeps_what_it_holds),
        cmocka_unit_test(memory_that_is_not_there_ends_the_program),
        cmocka_unit_test(quotes_are_doubled_inside_of_quotes),
        cmocka_unit_test(a_text_cannot_end_its_line_nor_be_a_format),
        cmocka_unit_test(a_path_is_never_a_command),
        cmocka_unit_test(gnuplot_gets_the_script_and_its_file_appears),
        cmocka_unit_test(a_picture_that_cannot_be_drawn_is_an_error_in_words),
        cmocka_unit_test(a_child_hands_on_its_lines_and_its_status),
        cmocka_unit_test(die_prints_one_line_and_ends_with_status_1),
        cmocka_unit_test(errors_and_notes_are_lines_and_the_program_goes_on),
        cmocka_unit_test(splitmix64_gives_the_published_numbers),
        cmocka_unit_test(letters_are_added_removed_replaced_or_swapped),
        cmocka_unit_test(a_mistyped_name_has_few_mistakes),
    };
    return cmocka_run_group_tests_name("base", tests, make_folder, remove_folder) != 0;
}
