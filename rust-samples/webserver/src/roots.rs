//! Finds the PEM files whose authorities are trusted.

use std::fs;
use std::path::Path;

use crate::config::Mistake;

const EXTRA_CA: &str = "EXTRA_CA";

/// What a connection says when the store is empty.
#[cfg(feature = "roots-native")]
pub const NOBODY: &str = "no certificate authority is trusted: there is none in SSL_CERT_FILE or SSL_CERT_DIR, \
     under /etc/ssl or /etc/pki, or in EXTRA_CA";
#[cfg(not(feature = "roots-native"))]
pub const NOBODY: &str = "no certificate authority is trusted";

/// The text of `EXTRA_CA`.
pub fn read_extra(path: &Path) -> Result<Vec<u8>, Mistake> {
    fs::read(path).map_err(|error| Mistake::new(EXTRA_CA, format!("{}: {error}", path.display())))
}

pub fn no_certificate(path: &Path) -> Mistake {
    Mistake::new(
        EXTRA_CA,
        format!("{}: holds no certificate in PEM", path.display()),
    )
}

#[cfg(feature = "roots-native")]
pub use native::read_native;

#[cfg(feature = "roots-native")]
mod native {
    use std::env;
    use std::ffi::OsStr;
    use std::fs;
    use std::path::{Path, PathBuf};

    /// Where distributions keep them all in one file; the first that has any is taken.
    const FILES: [&str; 5] = [
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        "/etc/ssl/ca-bundle.pem",
        "/etc/ssl/cert.pem",
    ];

    const FOLDERS: [&str; 2] = ["/etc/ssl/certs", "/etc/pki/tls/certs"];

    /// The PEM texts that `SSL_CERT_FILE` and `SSL_CERT_DIR` name, or, with neither set, those in the usual places.
    ///
    /// A file that cannot be read is as good as empty: each connection says then that nobody is trusted.
    pub fn read_native() -> Vec<Vec<u8>> {
        read(
            env::var_os("SSL_CERT_FILE").as_deref(),
            env::var_os("SSL_CERT_DIR").as_deref(),
            Path::new("/"),
        )
    }

    fn read(file: Option<&OsStr>, folders: Option<&OsStr>, root: &Path) -> Vec<Vec<u8>> {
        if file.is_some() || folders.is_some() {
            let folders = folders
                .map(|list| env::split_paths(list).collect::<Vec<_>>())
                .unwrap_or_default();
            let below = folders.iter().flat_map(|folder| files_in(folder));
            return file
                .map(PathBuf::from)
                .into_iter()
                .chain(below)
                .filter_map(|path| read_pem(&path))
                .collect();
        }
        let at = |path: &str| root.join(path.trim_start_matches('/'));
        if let Some(bundle) = FILES.iter().find_map(|path| read_pem(&at(path))) {
            return vec![bundle];
        }
        FOLDERS
            .iter()
            .flat_map(|path| files_in(&at(path)))
            .filter_map(|path| read_pem(&path))
            .collect()
    }

    fn files_in(folder: &Path) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(folder) else {
            return Vec::new();
        };
        // Each certificate has links beside it, named by its hash.
        let mut paths: Vec<_> = entries
            .flatten()
            .filter_map(|entry| entry.path().canonicalize().ok())
            .collect();
        paths.sort();
        paths.dedup();
        paths
    }

    fn read_pem(path: &Path) -> Option<Vec<u8>> {
        const BEGIN: &[u8] = b"-----BEGIN ";
        let text = fs::read(path).ok()?;
        text.windows(BEGIN.len())
            .any(|window| window == BEGIN)
            .then_some(text)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        const PEM: &str = "-----BEGIN CERTIFICATE-----\n";

        fn folder(name: &str) -> PathBuf {
            let folder =
                env::temp_dir().join(format!("webserver-roots-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir_all(folder.join("etc/ssl/certs")).unwrap();
            folder
        }

        #[test]
        fn the_environment_goes_before_the_usual_places() {
            let root = folder("environment");
            fs::write(root.join("etc/ssl/cert.pem"), PEM).unwrap();
            assert_eq!(read(None, None, &root), [PEM.as_bytes()]);
            assert!(read(Some(OsStr::new("/nowhere")), None, &root).is_empty());
            fs::remove_dir_all(root).unwrap();
        }

        #[test]
        fn a_folder_is_read_once_for_each_file_and_only_where_no_bundle_is() {
            let root = folder("folders");
            let certs = root.join("etc/ssl/certs");
            fs::write(certs.join("one.pem"), format!("{PEM}1")).unwrap();
            std::os::unix::fs::symlink("one.pem", certs.join("0a1b2c3d.0")).unwrap();
            fs::write(certs.join("README"), "no certificate").unwrap();
            assert_eq!(read(None, None, &root), [format!("{PEM}1").as_bytes()]);
            assert_eq!(
                read(None, Some(certs.as_os_str()), Path::new("/nowhere")).len(),
                1
            );
            fs::write(certs.join("ca-certificates.crt"), PEM).unwrap();
            assert_eq!(read(None, None, &root), [PEM.as_bytes()]);
            fs::remove_dir_all(root).unwrap();
        }

        #[test]
        fn nothing_anywhere_is_no_failure() {
            assert!(read(None, None, Path::new("/nowhere")).is_empty());
        }
    }
}
