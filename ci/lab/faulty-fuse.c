/*
 * faulty-fuse: runs a program in a folder whose files fail by rules.
 *
 *     faulty-fuse FOLDER [RULE...] -- PROGRAM [ARGUMENT...]
 *
 * A FUSE file system is mounted over FOLDER, in a mount namespace that only PROGRAM sees, and
 * PROGRAM is run in it. It hands everything on to what is in FOLDER, but for what the rules say: so
 * the data is real, and from outside FOLDER can be looked at, and changed, while PROGRAM runs. When
 * PROGRAM ends the mount is gone; when this program is killed, PROGRAM is killed and the mount is
 * gone.
 *
 * A RULE is OPERATION:RESULT[:CONDITION...].
 *
 *     OPERATION  read, write, fsync, truncate, create, unlink
 *     RESULT     the name of an errno from the table below; for reads and writes also `half` and
 *                `none`, which move half of the bytes (in whole pages) or none of them; `hold`,
 *                which goes on when there is a file `release` in FOLDER, or after a minute; `pass`,
 *                which goes on at once
 *     CONDITION  file=NAME: only for this file
 *                from=BYTES, to=BYTES: only transfers that touch this range
 *                after=N: not for the first N that the other conditions hold for
 *                times=N: only so often
 *                mark=NAME: is none, but makes an empty file of that name when the rule applies, so
 *                that others see how far PROGRAM is
 *
 * The first rule that applies is the one that counts, but for `hold` and `pass`; without `times` it
 * goes on applying.
 *
 * Among the rules can be the word `direct-io`: direct transfers then end as the rules say. Without
 * it the kernel reads the rest of a short one through the page cache. With it, io_uring goes on
 * after a short one in the wrong place (seen with Linux 6.18), because FUSE does not tell it how far
 * the file's position has moved.
 *
 * SIGINT, SIGTERM and SIGHUP are passed on to PROGRAM.
 *
 * It speaks the kernel's protocol itself and needs no library. It needs /dev/fuse, and root or user
 * namespaces. There are no folders in FOLDER for it, and no devices.
 *
 * Exit code: the program's own, or 128 and its signal; 125 for wrong usage, 126 when nothing can be
 * mounted here, 127 when the program cannot be started.
 */
#define _GNU_SOURCE /* O_PATH, unshare */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include <linux/fuse.h>

enum { TRANSFER_MAX = 1 << 20, THREADS = 8, NODES_MAX = 256, RULES_MAX = 16, PAGE = 4096 };

/* What a rule does, beside the errnos. */
enum { HALF = -1, NONE = -2, HOLD = -3, PASS = -4 };

static const struct {
    const char *name;
    int number;
} errnos[] = {
    { "EIO", EIO },       { "ENODATA", ENODATA }, { "ENOSPC", ENOSPC }, { "EDQUOT", EDQUOT },
    { "EROFS", EROFS },   { "EAGAIN", EAGAIN },   { "EINVAL", EINVAL }, { "EINTR", EINTR },
    { "ENXIO", ENXIO },   { "ENOMEM", ENOMEM },   { "ESTALE", ESTALE }, { "ETIMEDOUT", ETIMEDOUT },
};

struct rule {
    char operation[16];
    int result;
    char file[64], mark[64];
    uint64_t from, to;
    long after, times;
};

/* A file that the kernel knows: its number there is its place here. */
struct node {
    int path_fd;
    dev_t device;
    ino_t inode;
    char name[64];
};

static struct rule rules[RULES_MAX];
static size_t rules_count;
static struct node nodes[NODES_MAX];
static size_t nodes_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int direct_io;
static int folder = -1, fuse = -1;
static volatile pid_t program;

static void die(int code, const char *format, ...)
{
    va_list rest;
    va_start(rest, format);
    fputs("faulty-fuse: ", stderr);
    vfprintf(stderr, format, rest);
    fputs("\n", stderr);
    va_end(rest);
    exit(code);
}

/* Rules. */

static int result_of(const char *word)
{
    if (strcmp(word, "half") == 0)
        return HALF;
    if (strcmp(word, "none") == 0)
        return NONE;
    if (strcmp(word, "hold") == 0)
        return HOLD;
    if (strcmp(word, "pass") == 0)
        return PASS;
    for (size_t i = 0; i < sizeof errnos / sizeof *errnos; i++)
        if (strcmp(errnos[i].name, word) == 0)
            return errnos[i].number;
    die(125, "unknown result %s", word);
    return 0;
}

static void add_rule(char *text)
{
    if (strcmp(text, "direct-io") == 0) {
        direct_io = 1;
        return;
    }
    if (rules_count == RULES_MAX)
        die(125, "too many rules");
    struct rule *rule = &rules[rules_count++];
    *rule = (struct rule){ .to = UINT64_MAX, .times = -1 };
    char *rest = text, *word = strsep(&rest, ":"), *result = strsep(&rest, ":");
    if (!result)
        die(125, "a rule is OPERATION:RESULT[:CONDITION...], and %s is none", text);
    snprintf(rule->operation, sizeof rule->operation, "%s", word);
    rule->result = result_of(result);
    while ((word = strsep(&rest, ":"))) {
        if (sscanf(word, "file=%63s", rule->file) != 1
            && sscanf(word, "mark=%63s", rule->mark) != 1
            && sscanf(word, "from=%" SCNu64, &rule->from) != 1
            && sscanf(word, "to=%" SCNu64, &rule->to) != 1
            && sscanf(word, "after=%ld", &rule->after) != 1
            && sscanf(word, "times=%ld", &rule->times) != 1)
            die(125, "unknown condition %s", word);
    }
}

static int applies(struct rule *rule, const char *operation, const char *file, uint64_t from,
                   uint64_t length)
{
    if (strcmp(rule->operation, operation) != 0 || (*rule->file && strcmp(rule->file, file) != 0)
        || from >= rule->to || (length > 0 && from + length <= rule->from) || rule->times == 0)
        return 0;
    if (rule->after > 0) {
        rule->after--;
        return 0;
    }
    if (rule->times > 0)
        rule->times--;
    if (*rule->mark) {
        int fd = openat(folder, rule->mark, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
        if (fd >= 0)
            close(fd);
        *rule->mark = '\0';
    }
    return 1;
}

static void await_release(void)
{
    for (int ms = 0; ms < 60000 && faccessat(folder, "release", F_OK, 0) != 0; ms += 10)
        nanosleep(&(struct timespec){ 0, 10 * 1000000 }, NULL);
}

/* What the rules make of an operation: an errno, HALF, NONE, or 0. */
static int fault(const char *operation, const char *file, uint64_t from, uint64_t length)
{
    int result = 0, is_held = 0;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < rules_count && result == 0; i++) {
        if (!applies(&rules[i], operation, file, from, length))
            continue;
        is_held |= rules[i].result == HOLD;
        result = rules[i].result == HOLD || rules[i].result == PASS ? 0 : rules[i].result;
    }
    pthread_mutex_unlock(&lock);
    if (is_held)
        await_release();
    return result;
}

/* Bytes of a transfer that are moved when `result` is not an errno. */
static uint32_t moved(int result, uint32_t length)
{
    if (result == NONE)
        return 0;
    return result == HALF && length > PAGE ? length / 2 / PAGE * PAGE : length;
}

/* Answers. */

static void answer(const struct fuse_in_header *in, int error, const void *data, size_t length)
{
    struct fuse_out_header out = { .error = -error, .unique = in->unique };
    struct iovec parts[] = { { &out, sizeof out }, { (void *)data, error ? 0 : length } };
    out.len = sizeof out + parts[1].iov_len;
    /* An operation that was interrupted has nobody who waits for it. */
    if (writev(fuse, parts, 2) < 0 && errno != ENOENT && errno != ENODEV)
        perror("faulty-fuse: the kernel refuses an answer");
}

static struct fuse_attr attributes(const struct stat *is)
{
    return (struct fuse_attr){
        .ino = is->st_ino, .size = is->st_size, .blocks = is->st_blocks,
        .atime = is->st_atim.tv_sec, .mtime = is->st_mtim.tv_sec, .ctime = is->st_ctim.tv_sec,
        .atimensec = is->st_atim.tv_nsec, .mtimensec = is->st_mtim.tv_nsec,
        .ctimensec = is->st_ctim.tv_nsec, .mode = is->st_mode, .nlink = is->st_nlink,
        .uid = getuid(), .gid = getgid(), .blksize = is->st_blksize,
    };
}

static void answer_attributes(const struct fuse_in_header *in, int fd)
{
    struct stat is;
    /* Valid for no time at all, because others change the files as well. */
    struct fuse_attr_out out = { 0 };
    int failed = fstat(fd, &is);
    if (!failed)
        out.attr = attributes(&is);
    answer(in, failed ? errno : 0, &out, sizeof out);
}

/* Makes the file of this name known to the kernel. */
static int look_up(const char *name, struct fuse_entry_out *out)
{
    struct stat is;
    int fd = openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &is) < 0)
        return errno;
    pthread_mutex_lock(&lock);
    size_t at = 1;
    while (at < nodes_count && (nodes[at].inode != is.st_ino || nodes[at].device != is.st_dev))
        at++;
    if (at == NODES_MAX)
        die(125, "too many files");
    if (at == nodes_count) {
        /* It stays open, so that its number means no other file. */
        nodes[nodes_count++] = (struct node){ fd, is.st_dev, is.st_ino, "" };
        snprintf(nodes[at].name, sizeof nodes[at].name, "%s", name);
        fd = -1;
    }
    pthread_mutex_unlock(&lock);
    if (fd >= 0)
        close(fd);
    *out = (struct fuse_entry_out){ .nodeid = at + FUSE_ROOT_ID, .attr = attributes(&is) };
    return 0;
}

static int open_node(const struct node *node, int flags)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", node->path_fd);
    /* Memory here is not aligned for direct I/O, and everything is opened once. */
    return open(path, (flags & ~(O_DIRECT | O_CREAT | O_EXCL | O_NOFOLLOW)) | O_CLOEXEC);
}

/* Operations. */

static uint32_t least(uint32_t one, uint32_t other)
{
    return one < other ? one : other;
}

static void begin(const struct fuse_in_header *in, const struct fuse_init_in *asked)
{
    struct fuse_init_out out = {
        .major = FUSE_KERNEL_VERSION,
        .minor = least(asked->minor, FUSE_KERNEL_MINOR_VERSION),
        .max_readahead = asked->max_readahead,
        /* Not FUSE_ASYNC_DIO, for which the kernel makes an error of a short write. */
        .flags = asked->flags & (FUSE_ASYNC_READ | FUSE_BIG_WRITES | FUSE_MAX_PAGES),
        .max_background = 64,
        .congestion_threshold = 64,
        .max_write = TRANSFER_MAX,
        .max_pages = TRANSFER_MAX / PAGE,
    };
    answer(in, 0, &out, sizeof out);
}

static uint32_t open_flags(uint32_t flags)
{
    return direct_io && flags & O_DIRECT ? FOPEN_DIRECT_IO : 0;
}

static void open_file(const struct fuse_in_header *in, const struct node *node, uint32_t flags)
{
    int fd = open_node(node, flags);
    struct fuse_open_out out = { .fh = fd, .open_flags = open_flags(flags) };
    answer(in, fd < 0 ? errno : 0, &out, sizeof out);
}

static void create(const struct fuse_in_header *in, const struct fuse_create_in *how)
{
    const char *name = (const char *)(how + 1);
    struct {
        struct fuse_entry_out entry;
        struct fuse_open_out open;
    } out = { 0 };
    int error = fault("create", name, 0, 0), fd = -1;
    if (error == 0) {
        fd = openat(folder, name, (how->flags & ~O_DIRECT) | O_CREAT | O_CLOEXEC, how->mode);
        error = fd < 0 ? errno : look_up(name, &out.entry);
    }
    out.open = (struct fuse_open_out){ .fh = fd, .open_flags = open_flags(how->flags) };
    answer(in, error, &out, sizeof out);
}

static void change(const struct fuse_in_header *in, const struct node *node,
                   const struct fuse_setattr_in *how)
{
    int fd = open_node(node, how->valid & FATTR_SIZE ? O_WRONLY : O_RDONLY), error = 0;
    if (fd < 0)
        return answer(in, errno, NULL, 0);
    if (how->valid & FATTR_SIZE) {
        error = fault("truncate", node->name, how->size, 0);
        if (error == 0 && ftruncate(fd, how->size) < 0)
            error = errno;
    }
    if (error == 0 && how->valid & FATTR_MODE && fchmod(fd, how->mode & 07777) < 0)
        error = errno;
    if (error)
        answer(in, error, NULL, 0);
    else
        answer_attributes(in, fd);
    close(fd);
}

static void read_file(const struct fuse_in_header *in, const struct node *node,
                      const struct fuse_read_in *how)
{
    static _Thread_local char data[TRANSFER_MAX];
    int result = fault("read", node->name, how->offset, how->size);
    if (result > 0)
        return answer(in, result, NULL, 0);
    ssize_t length = pread(how->fh, data, moved(result, how->size), how->offset);
    answer(in, length < 0 ? errno : 0, data, length);
}

static void write_file(const struct fuse_in_header *in, const struct node *node,
                       const struct fuse_write_in *how)
{
    int result = fault("write", node->name, how->offset, how->size);
    if (result > 0)
        return answer(in, result, NULL, 0);
    ssize_t length = pwrite(how->fh, how + 1, moved(result, how->size), how->offset);
    struct fuse_write_out out = { .size = length };
    answer(in, length < 0 ? errno : 0, &out, sizeof out);
}

static void remove_name(const struct fuse_in_header *in, const char *name)
{
    int error = fault("unlink", name, 0, 0);
    if (error == 0 && unlinkat(folder, name, 0) < 0)
        error = errno;
    answer(in, error, NULL, 0);
}

static void rename_file(const struct fuse_in_header *in, const char *from)
{
    int failed = renameat(folder, from, folder, from + strlen(from) + 1);
    answer(in, failed ? errno : 0, NULL, 0);
}

static void room(const struct fuse_in_header *in)
{
    struct statvfs is;
    if (fstatvfs(folder, &is) < 0)
        return answer(in, errno, NULL, 0);
    struct fuse_statfs_out out = { .st = {
        .blocks = is.f_blocks, .bfree = is.f_bfree, .bavail = is.f_bavail, .files = is.f_files,
        .ffree = is.f_ffree, .bsize = is.f_bsize, .namelen = is.f_namemax, .frsize = is.f_frsize,
    } };
    answer(in, 0, &out, sizeof out);
}

/* Attributes go by a descriptor, because those of O_PATH have none. */
static void attribute(const struct fuse_in_header *in, const struct node *node, char *body)
{
    char value[4096];
    ssize_t length = 0;
    struct fuse_getxattr_out out = { 0 };
    int fd = open_node(node, O_RDONLY);
    if (fd < 0)
        return answer(in, errno, NULL, 0);
    if (in->opcode == FUSE_GETXATTR) {
        const struct fuse_getxattr_in *asked = (void *)body;
        length = fgetxattr(fd, body + sizeof *asked, value, least(asked->size, sizeof value));
        out.size = length;
        answer(in, length < 0 ? errno : 0, asked->size ? (void *)value : &out,
               asked->size ? (size_t)length : sizeof out);
    } else if (in->opcode == FUSE_SETXATTR) {
        const struct fuse_setxattr_in *asked = (void *)body;
        const char *name = body + FUSE_COMPAT_SETXATTR_IN_SIZE;
        length = fsetxattr(fd, name, name + strlen(name) + 1, asked->size, asked->flags);
        answer(in, length < 0 ? errno : 0, NULL, 0);
    } else {
        answer(in, fremovexattr(fd, body) < 0 ? errno : 0, NULL, 0);
    }
    close(fd);
}

static void serve_one(struct fuse_in_header *in)
{
    void *body = in + 1;
    struct node *node = &nodes[in->nodeid ? in->nodeid - FUSE_ROOT_ID : 0];
    struct fuse_entry_out entry;
    int error;
    switch (in->opcode) {
    case FUSE_INIT:
        return begin(in, body);
    case FUSE_LOOKUP:
        error = look_up(body, &entry);
        return answer(in, error, &entry, sizeof entry);
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
    case FUSE_INTERRUPT:
        return; /* These want no answer. */
    case FUSE_GETATTR:
        return answer_attributes(in, node->path_fd);
    case FUSE_SETATTR:
        return change(in, node, body);
    case FUSE_CREATE:
        return create(in, body);
    case FUSE_OPEN:
        return open_file(in, node, ((struct fuse_open_in *)body)->flags);
    case FUSE_READ:
        return read_file(in, node, body);
    case FUSE_WRITE:
        return write_file(in, node, body);
    case FUSE_FSYNC:
        return answer(in, fault("fsync", node->name, 0, 0), NULL, 0);
    case FUSE_RELEASE:
        close(((struct fuse_release_in *)body)->fh);
        return answer(in, 0, NULL, 0);
    case FUSE_UNLINK:
        return remove_name(in, body);
    case FUSE_RENAME2:
        return rename_file(in, (char *)body + sizeof(struct fuse_rename2_in));
    case FUSE_RENAME:
        return rename_file(in, (char *)body + sizeof(struct fuse_rename_in));
    case FUSE_STATFS:
        return room(in);
    case FUSE_GETXATTR:
    case FUSE_SETXATTR:
    case FUSE_REMOVEXATTR:
        return attribute(in, node, body);
    default:
        return answer(in, ENOSYS, NULL, 0);
    }
}

static void *serve(void *unused)
{
    size_t room = TRANSFER_MAX + PAGE;
    char *buffer = aligned_alloc(PAGE, room);
    for (;;) {
        ssize_t length = read(fuse, buffer, room);
        if (length > 0)
            serve_one((struct fuse_in_header *)buffer);
        else if (errno != EINTR && errno != EAGAIN && errno != ENOENT)
            return unused; /* It is not mounted any more. */
    }
}

/* The mount, and the program in it. */

static void write_map(const char *path, const char *format, unsigned id)
{
    char map[64];
    int length = snprintf(map, sizeof map, format, id), fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, map, length) != length)
        die(126, "%s: %s", path, strerror(errno));
    close(fd);
}

static void enter_namespace(void)
{
    unsigned user = getuid(), group = getgid();
    /* Root can do without a user namespace, and not every machine has those. */
    if (unshare(CLONE_NEWNS) < 0) {
        if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
            die(126, "no mount namespace: %s", strerror(errno));
        write_map("/proc/self/setgroups", "deny", 0);
        write_map("/proc/self/uid_map", "0 %u 1", user);
        write_map("/proc/self/gid_map", "0 %u 1", group);
    }
    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        die(126, "cannot make mounts private: %s", strerror(errno));
}

static void mount_over(const char *path)
{
    char options[128];
    folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    if (folder < 0 || fuse < 0)
        die(126, "%s: %s", folder < 0 ? path : "/dev/fuse", strerror(errno));
    nodes[nodes_count++].path_fd = folder;
    snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=%u,group_id=%u", fuse, getuid(),
             getgid());
    if (mount("faulty", path, "fuse.faulty", MS_NOSUID | MS_NODEV, options) < 0)
        die(126, "cannot mount: %s", strerror(errno));
}

static void pass_on(int signal)
{
    kill(program, signal);
}

static void start(const char *path, char **words)
{
    pid_t parent = getpid();
    program = fork();
    if (program < 0)
        die(126, "fork: %s", strerror(errno));
    if (program == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent || chdir(path) < 0)
            _exit(126);
        execvp(words[0], words);
        perror(words[0]);
        _exit(127);
    }
}

int main(int count, char **words)
{
    int at = 2, status;
    while (at < count && strcmp(words[at], "--") != 0)
        add_rule(words[at++]);
    if (at + 1 >= count)
        die(125, "usage: faulty-fuse FOLDER [RULE...] -- PROGRAM [ARGUMENT...]");
    enter_namespace();
    mount_over(words[1]);
    start(words[1], words + at + 1);
    struct sigaction action = { .sa_handler = pass_on, .sa_flags = SA_RESTART };
    for (int i = 0; i < 3; i++)
        sigaction((int[]){ SIGINT, SIGTERM, SIGHUP }[i], &action, NULL);
    /* Signals are for this thread alone, so that none cuts short what another waits for. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    for (int i = 0; i < THREADS; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, serve, NULL) != 0)
            die(126, "cannot start a thread");
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    while (waitpid(program, &status, 0) < 0)
        if (errno != EINTR)
            die(126, "waitpid: %s", strerror(errno));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
