//! What a test asks of any S3 server, by `curl`, which signs by itself.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::tools;

pub(crate) const KEY: &str = "testkey";
pub(crate) const SECRET: &str = "testsecret123";

/// A server of the language of S3 on loopback, whoever started it.
#[derive(Debug)]
pub struct S3 {
    port: u16,
}

/// One version of an object in a bucket that keeps them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectVersion {
    /// The object's name.
    pub key: String,
    /// Of this version.
    pub id: String,
    /// It says that the object is deleted.
    pub marker: bool,
}

impl S3 {
    pub(crate) fn new(port: u16) -> Self {
        Self { port }
    }

    /// Where it listens on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// … with the address.
    pub fn addr(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// Its address, as an S3 client wants it.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The credentials, as variables of the environment.
    pub fn credentials(&self) -> [(&'static str, &'static str); 2] {
        [
            ("AWS_ACCESS_KEY_ID", KEY),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
        ]
    }

    /// The URL of a place in a bucket, as ksnapshot takes it.
    pub fn url(&self, bucket: &str, prefix: &str) -> String {
        Self::url_at(&self.endpoint(), bucket, prefix)
    }

    /// … by another address, that of a proxy.
    pub fn url_at(endpoint: &str, bucket: &str, prefix: &str) -> String {
        let path = if prefix.is_empty() {
            String::new()
        } else {
            format!("/{prefix}")
        };
        format!("s3://{bucket}{path}?endpoint={endpoint}&region=us-east-1")
    }

    /// Makes a bucket.
    pub fn bucket(&self, name: &str) -> Result<()> {
        self.request("PUT", &format!("/{name}"), &[])?;
        Ok(())
    }

    /// Makes a bucket that keeps the versions of its objects.
    pub fn versioned_bucket(&self, name: &str) -> Result<()> {
        self.bucket(name)?;
        let xml = "<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
                   <Status>Enabled</Status></VersioningConfiguration>";
        self.request(
            "PUT",
            &format!("/{name}?versioning="),
            &["--data-binary", xml],
        )?;
        Ok(())
    }

    /// Makes a bucket of which no version can be deleted for a day, by nobody.
    pub fn locked_bucket(&self, name: &str) -> Result<()> {
        let lock = ["-H", "x-amz-bucket-object-lock-enabled: true"];
        self.request("PUT", &format!("/{name}"), &lock)?;
        let xml = "<ObjectLockConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
                   <ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>COMPLIANCE</Mode>\
                   <Days>1</Days></DefaultRetention></Rule></ObjectLockConfiguration>";
        // Of that text; some servers insist.
        let md5 = "Content-MD5: Ms0qM6MDXP5BYyCiloSlng==";
        let args = ["--data-binary", xml, "-H", md5];
        self.request("PUT", &format!("/{name}?object-lock="), &args)?;
        Ok(())
    }

    /// The names of all objects of a bucket, sorted.
    pub fn list(&self, bucket: &str) -> Result<Vec<String>> {
        let xml = self.request("GET", &format!("/{bucket}?list-type=2"), &[])?;
        let mut names: Vec<_> = elements(&xml, "Key").map(plain).collect();
        names.sort_unstable();
        Ok(names)
    }

    /// All versions in a bucket, markers of deletion included.
    pub fn versions(&self, bucket: &str) -> Result<Vec<ObjectVersion>> {
        let xml = self.request("GET", &format!("/{bucket}?versions="), &[])?;
        let found = |element: &str, marker| {
            let of = |inside: &str, name: &str| elements(inside, name).next().map(plain);
            let versions = elements(&xml, element).map(|inside| ObjectVersion {
                key: of(inside, "Key").unwrap_or_default(),
                id: of(inside, "VersionId").unwrap_or_default(),
                marker,
            });
            versions.collect::<Vec<_>>()
        };
        let mut all = found("Version", false);
        all.extend(found("DeleteMarker", true));
        Ok(all)
    }

    /// Deletes one version for good; a lock refuses.
    pub fn delete_version(&self, bucket: &str, version: &ObjectVersion) -> Result<()> {
        let path = format!("/{bucket}/{}?versionId={}", version.key, version.id);
        self.request("DELETE", &path, &[])?;
        Ok(())
    }

    /// Downloads an object into a folder, under the last part of its name.
    pub fn get(&self, bucket: &str, key: &str, folder: &Path) -> Result<PathBuf> {
        let file = folder.join(key.rsplit('/').next().unwrap_or(key));
        self.curl(
            &format!("/{bucket}/{key}"),
            &["-o".as_ref(), file.as_os_str()],
        )?;
        Ok(file)
    }

    /// Replaces an object by a file, or makes it.
    pub fn put(&self, bucket: &str, key: &str, file: &Path) -> Result<()> {
        self.curl(
            &format!("/{bucket}/{key}"),
            &["-T".as_ref(), file.as_os_str()],
        )?;
        Ok(())
    }

    /// Deletes an object.
    pub fn delete(&self, bucket: &str, key: &str) -> Result<()> {
        self.request("DELETE", &format!("/{bucket}/{key}"), &[])?;
        Ok(())
    }

    /// A signed request with more arguments for `curl`; gives the answer's body.
    pub fn request(&self, method: &str, path: &str, args: &[&str]) -> Result<String> {
        let mut all: Vec<&OsStr> = vec!["-X".as_ref(), method.as_ref()];
        all.extend(args.iter().map(OsStr::new));
        Ok(String::from_utf8(self.curl(path, &all)?)?)
    }

    /// A key for an hour, as a credentials file says it. Not every server has such.
    pub fn session(&self) -> Result<String> {
        let mut curl = Command::new("curl");
        curl.args([
            "-sS",
            "--fail-with-body",
            "--max-time",
            "60",
            "--noproxy",
            "*",
        ]);
        curl.args(["--aws-sigv4", "aws:amz:us-east-1:sts", "--user"]);
        curl.arg(format!("{KEY}:{SECRET}"));
        curl.args([
            "-d",
            "Action=AssumeRole&Version=2011-06-15&DurationSeconds=3600",
        ]);
        let xml = tools::run(curl.arg(self.endpoint()))?.success()?.text();
        let of = |name: &str| elements(&xml, name).next().unwrap_or_default();
        Ok(format!(
            "[default]\naws_access_key_id={}\naws_secret_access_key={}\naws_session_token={}\n",
            of("AccessKeyId"),
            of("SecretAccessKey"),
            of("SessionToken")
        ))
    }

    fn curl(&self, path: &str, args: &[&OsStr]) -> Result<Vec<u8>> {
        let mut curl = Command::new("curl");
        curl.args([
            "-sS",
            "--fail-with-body",
            "--max-time",
            "60",
            "--noproxy",
            "*",
        ]);
        curl.args([
            "--aws-sigv4",
            "aws:amz:us-east-1:s3",
            "--user",
            &format!("{KEY}:{SECRET}"),
            // Not every server does without.
            "-H",
            "x-amz-content-sha256: UNSIGNED-PAYLOAD",
        ]);
        curl.args(args).arg(format!("{}{path}", self.endpoint()));
        Ok(tools::run(&mut curl)?.success()?.stdout)
    }
}

/// What is between `<name>` and its end, each time.
pub(crate) fn elements<'a>(xml: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let (begin, end) = (format!("<{name}>"), format!("</{name}>"));
    let found: Vec<_> = xml
        .split(&begin)
        .skip(1)
        .filter_map(|rest| rest.split(&end).next())
        .collect();
    found.into_iter()
}

fn plain(text: &str) -> String {
    text.replace("&amp;", "&")
}
