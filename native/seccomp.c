#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "system.h"

#if defined(__x86_64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#ifndef OWN_ARCHITECTURE
int wt_deny_system_calls(void) {
  return -ENOSYS;
}
#else

/* The same on both processors, and absent from the headers of older C libraries. */
#ifndef __NR_io_uring_setup
#define __NR_io_uring_setup 425
#endif
#ifndef __NR_open_tree
#define __NR_open_tree 428
#define __NR_move_mount 429
#define __NR_fsopen 430
#define __NR_fsconfig 431
#define __NR_fsmount 432
#define __NR_fspick 433
#endif
#ifndef __NR_clone3
#define __NR_clone3 435
#endif
#ifndef __NR_pidfd_getfd
#define __NR_pidfd_getfd 438
#endif
#ifndef __NR_process_madvise
#define __NR_process_madvise 440
#endif
#ifndef __NR_mount_setattr
#define __NR_mount_setattr 442
#endif

#define NEW_NAMESPACES \
  (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)
/* Numbers with this bit belong to the x32 interface of x86-64. */
#define X32_BIT 0x40000000u

static const uint16_t denied[] = {
    /* programs */
    __NR_execve, __NR_execveat,
    /* other processes */
    __NR_ptrace, __NR_process_vm_readv, __NR_process_vm_writev, __NR_process_madvise, __NR_pidfd_getfd, __NR_kcmp,
    /* mounts and namespaces */
    __NR_mount, __NR_umount2, __NR_pivot_root, __NR_chroot, __NR_open_tree, __NR_move_mount, __NR_fsopen,
    __NR_fsconfig, __NR_fsmount, __NR_fspick, __NR_mount_setattr, __NR_setns, __NR_unshare,
    /* the kernel */
    __NR_init_module, __NR_finit_module, __NR_delete_module, __NR_bpf, __NR_perf_event_open, __NR_kexec_load,
#ifdef __NR_kexec_file_load
    __NR_kexec_file_load,
#endif
    __NR_userfaultfd, __NR_io_uring_setup,
    /* keys */
    __NR_add_key, __NR_request_key, __NR_keyctl,
};

#define DENIED_COUNT (sizeof denied / sizeof denied[0])
/* Two instructions for each number, and the instructions before and behind them. */
#define MAX_INSTRUCTIONS (2 * DENIED_COUNT + 32)

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define ANSWER(value) BPF_STMT(BPF_RET | BPF_K, (value))
#define REFUSE(error) ANSWER(SECCOMP_RET_ERRNO | ((error) & SECCOMP_RET_DATA))
#define SKIP_ONE_UNLESS(test, value) BPF_JUMP(BPF_JMP | (test) | BPF_K, (value), 0, 1)

struct program {
  struct sock_filter instructions[MAX_INSTRUCTIONS];
  unsigned short count;
};

static void add(struct program *program, const struct sock_filter *instructions, size_t count) {
  for (size_t i = 0; i < count; i++) program->instructions[program->count++] = instructions[i];
}

/* Denies all calls of another architecture, whose numbers mean other calls. */
static void add_architecture(struct program *program) {
  const struct sock_filter instructions[] = {
      LOAD(arch),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OWN_ARCHITECTURE, 1, 0),
      REFUSE(ENOSYS),
      LOAD(nr),
#ifdef __x86_64__
      SKIP_ONE_UNLESS(BPF_JGE, X32_BIT),
      REFUSE(ENOSYS),
#endif
  };
  add(program, instructions, sizeof instructions / sizeof instructions[0]);
}

/*
 * Threads need clone, which takes its flags in a register. The flags of clone3 are in memory, where a filter cannot
 * look: ENOSYS makes the C library fall back to clone.
 */
static void add_clone(struct program *program) {
  const struct sock_filter instructions[] = {
      SKIP_ONE_UNLESS(BPF_JEQ, __NR_clone3),
      REFUSE(ENOSYS),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_clone, 0, 3),
      LOAD(args[0]),
      SKIP_ONE_UNLESS(BPF_JSET, NEW_NAMESPACES),
      REFUSE(EPERM),
      ANSWER(SECCOMP_RET_ALLOW),
  };
  add(program, instructions, sizeof instructions / sizeof instructions[0]);
}

static void build(struct program *program) {
  program->count = 0;
  add_architecture(program);
  for (size_t i = 0; i < DENIED_COUNT; i++) {
    const struct sock_filter refusal[] = {SKIP_ONE_UNLESS(BPF_JEQ, denied[i]), REFUSE(EPERM)};
    add(program, refusal, 2);
  }
  add_clone(program);
}

int wt_deny_system_calls(void) {
  struct program program;
  build(&program);
  const struct sock_fprog filter = {.len = program.count, .filter = program.instructions};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return -errno;
  long result = syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter);
  if (result < 0) return -errno;
  return result == 0 ? 0 : -ESRCH; /* A thread has its own filter, and cannot adopt this filter. */
}
#endif
