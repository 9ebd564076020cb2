#!/bin/sh
# Gives Debian's rustc a musl target that needs no network, inside the finished toolchain image: the C start files,
# libc and unwinder that rustc calls self-contained, then the standard library, compiled once from Debian's own source.
set -eu

host=$(rustc -vV | sed -n 's/^host: //p')
llvm=$(rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
target=${host%-gnu}-musl
libraries=$(rustc --print sysroot)/lib/rustlib/$target/lib
contained=$libraries/self-contained
multiarch=$(gcc -print-multiarch)
gcc_folder=$(dirname "$(gcc -print-libgcc-file-name)")
musl_folder=/usr/lib/${multiarch%-gnu}-musl
# A fixed folder: paths reach the compiled crates, and two runs must give the same bytes.
work=/usr/src/musl-std

# The unwinder's bitcode is read by rustc's LLVM, so both must be of one version.
if [ ! -e "/usr/share/doc/libunwind-$llvm-dev" ]; then
    echo "rustc is built on LLVM $llvm: name libunwind-$llvm-dev among the packages of this toolchain" >&2
    exit 1
fi

mkdir -p "$contained" "$work/src" "$work/.cargo"
cd "$work"

for object in crt1 Scrt1 rcrt1 crti crtn; do ln -s "$musl_folder/$object.o" "$contained/"; done
for object in crtbegin crtbeginS crtend crtendS; do ln -s "$gcc_folder/$object.o" "$contained/"; done
# libdl.a and libpthread.a are empty in musl; libunwind.a asks for them by name.
for archive in libc libdl libpthread; do ln -s "$musl_folder/$archive.a" "$contained/"; done

# Debian compiles libunwind.a against glibc with _FORTIFY_SOURCE: these are the only symbols of it that musl lacks.
cat >fortify.c <<'C'
#include <stdarg.h>
#include <stdio.h>
int __vfprintf_chk(FILE *file, int flag, const char *format, va_list values) { return vfprintf(file, format, values); }
int __vsnprintf_chk(char *text, size_t size, int flag, size_t room, const char *format, va_list values) {
    return vsnprintf(text, size, format, values);
}
int __fprintf_chk(FILE *file, int flag, const char *format, ...) {
    va_list values;
    va_start(values, format);
    int written = vfprintf(file, format, values);
    va_end(values);
    return written;
}
int __snprintf_chk(char *text, size_t size, int flag, size_t room, const char *format, ...) {
    va_list values;
    va_start(values, format);
    int written = vsnprintf(text, size, format, values);
    va_end(values);
    return written;
}
C
musl-gcc -Os -fPIC -ffunction-sections -c fortify.c
cp "/usr/lib/$multiarch/libunwind.a" "$contained/libunwind.a"
ar rD "$contained/libunwind.a" fortify.o

# Dynamic musl programs ask for libgcc_s, and Debian's is a glibc library: the static unwinder answers in its place.
echo "INPUT($contained/libunwind.a)" >"$libraries/libgcc_s.so"

# panic_abort must itself be compiled to abort, the rest to unwind, as rustc's own build does it.
cat >rustc-wrapper <<'SH'
#!/bin/sh
rustc=$1
shift
case " $* " in *" --crate-name panic_abort "*) set -- "$@" -Cpanic=abort ;; esac
exec "$rustc" "$@"
SH
chmod +x rustc-wrapper

cat >Cargo.toml <<'TOML'
[package]
name = "seed"
version = "0.0.0"
edition = "2021"
TOML
echo '#![no_std]' >src/lib.rs
cat >.cargo/config.toml <<'TOML'
[source.crates-io]
replace-with = "vendor"
[source.vendor]
directory = "/usr/lib/rustlib/src/rust/library/vendor"
[profile.release]
codegen-units = 1
debug = 0
TOML
# -Zbuild-std is unstable, hence RUSTC_BOOTSTRAP; without the bitcode a program cannot be compiled with lto.
RUSTC_BOOTSTRAP=1 RUSTC_WRAPPER=$work/rustc-wrapper RUSTFLAGS=-Cembed-bitcode=yes CARGO_HOME=$work/cargo-home \
    cargo build --offline --release -Zbuild-std=std,panic_abort,panic_unwind,test --target "$target"
rm "target/$target/release/deps"/libseed-*
cp "target/$target/release/deps"/*.rlib "$libraries/"

# musl 1.2.4 dropped the names of large-file functions (open64 is open), which the libc crate asked for before 0.2.146:
# one object a name, so that a program takes in those that it asks for.
for name in \
    aio_cancel aio_error aio_fsync aio_read aio_return aio_suspend aio_write alphasort creat fallocate fgetpos fopen \
    freopen fseeko fsetpos fstat fstatat fstatfs fstatvfs ftello ftruncate ftw getdents getrlimit glob globfree \
    lio_listio lockf lseek lstat mkostemp mkostemps mkstemp mkstemps mmap nftw open openat posix_fadvise \
    posix_fallocate pread preadv prlimit pwrite pwritev readdir scandir sendfile setrlimit stat statfs statvfs tmpfile \
    truncate versionsort; do
    alias=${name}64
    {
        echo ".section .text.$alias,\"ax\",@progbits"
        echo ".globl $alias"
        echo ".type $alias,@function"
        echo "$alias: jmp $name@PLT"
        echo ".size $alias, . - $alias"
        echo '.section .note.GNU-stack,"",@progbits'
    } | as -o "large-file-$alias.o" -
done
ar rcD /usr/local/lib/musl-large-files.a large-file-*.o

# What rustc links with for musl: lld makes smaller static programs than ld, and a dynamic program needs musl-gcc's own
# start files and loader, where a plain cc would take glibc's. C code in a crate may call libgcc's helpers (mimalloc does
# __popcountdi2), which rustc asks for of no musl target: they touch no libc. What lacks names of large-file functions
# is linked again with them, and which they were is left beside the program for whoever asks.
cat >/usr/local/bin/musl-link <<'SH'
#!/bin/sh
link() {
    case " $* " in
    *" -static-pie "* | *" -static "*) cc -fuse-ld=lld "$@" -lgcc ;;
    *) musl-gcc "$@" ;;
    esac
}
said=$(mktemp)
asked=$(mktemp)
trap 'rm -f "$said" "$asked"' EXIT
note=${CARGO_TARGET_DIR:+$CARGO_TARGET_DIR/large-file-names}
rm -f ${note:+"$note"}
link "$@" >"$said" 2>&1
status=$?
if [ "$status" -ne 0 ]; then
    sed -nE 's/.*undefined (symbol: |reference to .)([a-z_]+64)\b.*/\2/p' "$said" | sort -u >"$asked"
    if [ -s "$asked" ] && link "$@" /usr/local/lib/musl-large-files.a >"$said" 2>&1; then
        status=0
        [ -z "$note" ] || cp "$asked" "$note"
    fi
fi
cat "$said" >&2
exit "$status"
SH
chmod 755 /usr/local/bin/musl-link
mkdir -p "$HOME/.cargo"
printf '[target.%s]\nlinker = "musl-link"\n' "$target" >"$HOME/.cargo/config.toml"

cd /
rm -r "$work"
# What only this script needed: 430 MB of source, most of all.
dpkg --purge rust-web-src "libunwind-$llvm-dev" >/dev/null
rm -rf /var/log/dpkg.log /var/log/alternatives.log
# Debian names the linker by its LLVM; programs ask for it by its plain name.
[ -e /usr/bin/ld.lld ] || ln -s "ld.lld-$llvm" /usr/bin/ld.lld
