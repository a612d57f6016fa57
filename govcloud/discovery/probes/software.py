"""Installed software that a migration must know: databases, middleware, web servers, JDKs, run-times.

Package managers first (one question each); then the release files of JDKs, and the usual folders of what comes as an
archive: Tomcat, Oracle, and the domestic databases and application servers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from govcloud.discovery.facts import render_package
from govcloud.model.observation import Value
from govcloud.model.server import Package

NAME = "software"
FIELDS = ("packages",)
FILES = (
    "/usr/java/*/release", "/usr/lib/jvm/*/release", "/usr/local/*/release", "/opt/*/release", "/opt/*/jre/release",
    "/etc/oratab",
)  # fmt: skip

_DPKG = (
    "nginx|apache2|tengine|haproxy|keepalived|(mysql|mysql-community|mariadb|percona-server)-server(-[0-9.]+)?|postgresql-[0-9.]+"
    "|redis(-server)?|valkey-server|mongodb(-org)?-server|tomcat[0-9]+|openjdk-[0-9]+-(jre|jdk)(-headless)?|jdk[-0-9.]+|nodejs"
    "|php[0-9.]*-(fpm|cli)|docker-ce|docker[.]io|podman|containerd([.]io)?|kubelet|rabbitmq-server|memcached|zookeeper|elasticsearch"
    "|kafka|squid|etcd(-server)?|opengauss|python3|vsftpd|samba|nfs-kernel-server|bind9|slapd|openssh-server"
)
_RPM = (
    "nginx tengine httpd haproxy keepalived mysql-server mysql-community-server MySQL-server mysql5-server mariadb-server "
    "MariaDB-server Percona-Server-server-57 percona-server-server postgresql-server postgresql96-server postgresql10-server "
    "postgresql11-server postgresql12-server postgresql13-server postgresql14-server postgresql15-server postgresql16-server "
    "redis redis5 redis6 valkey mongodb-server mongodb-org-server tomcat tomcat6 tomcat7 tomcat9 java-1.6.0-openjdk "
    "java-1.7.0-openjdk java-1.8.0-openjdk java-1.8.0-openjdk-headless java-11-openjdk java-11-openjdk-headless java-17-openjdk "
    "java-17-openjdk-headless java-21-openjdk jdk1.7 jdk1.8 jdk-11 jdk-17 jdk-21 nodejs php php-fpm docker docker-ce docker-engine "
    "moby-engine iSulad podman containerd containerd.io kubelet rabbitmq-server memcached zookeeper elasticsearch kafka squid etcd "
    "opengauss openGauss python python2 python3 vsftpd samba nfs-utils bind openldap-servers openssh-server oracle-database-ee-19c "
    "oracle-database-xe-18c oracle-xe"
)
_FOLDERS = (
    "/opt/dm* /dm* /home/dmdba/dm* /opt/Kingbase* /home/kingbase/* /opt/TongWeb* /usr/local/TongWeb* /home/*/TongWeb* /opt/BES* "
    "/opt/bes* /opt/Apusic* /opt/AAS* /opt/apusic* /opt/gbase* /opt/GBASE* /home/gbase* /opt/ShenTong* /opt/InforSuite* "
    "/opt/*tomcat* /usr/local/*tomcat* /home/*/*tomcat* /opt/jdk* /usr/local/jdk* /opt/weblogic* /home/weblogic* "
    "/opt/IBM/WebSphere* /opt/openGauss* /usr/local/mysql* /usr/local/pgsql* /usr/local/redis* /usr/local/kafka* /opt/kafka* "
    "/opt/nacos* /usr/local/nacos*"
)
# Another one's program is never started, least of all by root: only one that belongs to the account itself.
COMMAND = (
    "for f in /var/lib/dpkg/status /lib/apk/db/installed; do [ -r $f ] && awk '"
    "/^Package: /{p=$2;s=0} /^Status: .* installed$/{s=1} /^Version: /{if(s&&p~/^("
    + _DPKG
    + ')$/)print "package",p,$2} '
    "/^P:/{p=substr($0,3)} /^V:/{if(p~/^("
    + _DPKG
    + '|openjdk[0-9]+-jre|postgresql[0-9]+|mariadb|docker|php[0-9]+)$/)print "package",p,substr($0,3)}'
    "' $f; done; "
    "if [ -d /var/lib/rpm ] || [ -d /usr/lib/sysimage/rpm ]; then command -v rpm >/dev/null && "
    "rpm -q --qf 'package %{NAME} %{VERSION}-%{RELEASE}\\n' " + _RPM + "; fi; "
    "for d in " + _FOLDERS + '; do [ -d "$d" ] && echo "folder $d"; done; '
    "for f in /usr/local/nginx/sbin/nginx /usr/local/openresty/nginx/sbin/nginx /opt/nginx/sbin/nginx; do "
    "[ -O $f ] && [ -x $f ] && $f -v 2>&1; done; [ -e /var/lib/dpkg/status ] || [ -e /lib/apk/db/installed ] || "
    'command -v rpm >/dev/null || echo "? command packages"'
)

_PACKAGE = re.compile(r"^package ([\w.+-]{1,80}) (?:\d+:)?([\w.+:~-]{1,80})$", re.M)
_JDK = re.compile(r"^/(?:usr|opt)/\S{1,120}/release:JAVA_VERSION=\"?([\w.+-]{1,40})\"?$", re.M)
_ORATAB = re.compile(r"^/etc/oratab:\w{1,30}:(/[^:\s]{1,120}):[YN]", re.M)
_NGINX = re.compile(r"^(nginx|tengine|openresty) version: (?:nginx|Tengine|openresty)/([\w.]{1,20})$", re.M | re.I)
_FOLDER = re.compile(r"^folder (/\S{1,150})$", re.M)
_PRODUCTS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.I), name)
    for pattern, name in (
        (r"/dm(?:dbms)?(?:_?v?(\d[\d.]*))?", "dameng"), (r"/kingbase(?:es)?[-_]?v?(\d[\w.]*)?", "kingbase"),
        (r"/tongweb[-_]?v?(\d[\w.]*)?", "tongweb"), (r"/bes(?:[-_](?:application[-_]?server|as))?[-_]?v?(\d[\w.]*)?", "bes"),
        (r"/(?:apusic|aas)[-_]?v?(\d[\w.]*)?", "apusic"), (r"/gbase(?:8[ast])?[-_]?v?(\d[\w.]*)?", "gbase"),
        (r"/shentong[-_]?v?(\d[\w.]*)?", "oscar"), (r"/inforsuite\w*?[-_]?v?(\d[\w.]*)?", "inforsuite"),
        (r"/(?:apache-)?tomcat[-_]?(\d[\w.]*)?", "tomcat"), (r"/jdk[-_]?(\d[\w.+]*)?", "jdk"), (r"/weblogic\w*", "weblogic"),
        (r"/websphere\w*", "websphere"), (r"/opengauss[-_]?(\d[\w.]*)?", "opengauss"), (r"/mysql[-_]?(\d[\w.]*)?", "mysql"),
        (r"/pgsql[-_]?(\d[\w.]*)?", "postgresql"), (r"/redis[-_]?(\d[\w.]*)?", "redis"),
        (r"/kafka(?:_[\d.]+)?[-_]?(\d[\w.]*)?", "kafka"), (r"/nacos[-_]?(\d[\w.]*)?", "nacos"),
    )
)  # fmt: skip


def parse(text: str) -> Mapping[str, Value]:
    found = {Package(name=name, version=version) for name, version in _PACKAGE.findall(text)}
    found |= {Package(name="jdk", version=version) for version in _JDK.findall(text)}
    found |= {Package(name=name.lower(), version=version) for name, version in _NGINX.findall(text)}
    for home in _ORATAB.findall(text):
        number = re.search(r"/(\d{2}(?:\.\d+)+|\d{2}[cgi])(?:/|$)", home)
        found.add(Package(name="oracle", version=number[1] if number else None))
    named = {p.name for p in found}
    for folder in _FOLDER.findall(text):
        package = _product(folder)
        # The release file in a JDK's folder has said the same more exactly.
        if package and not (package.name == "jdk" and "jdk" in named):
            found.add(package)
    told = not re.search(r"^\? command packages$", text, re.M) and bool(text.strip())
    return {"packages": tuple(sorted(map(render_package, found)))} if found or told else {}


def _product(folder: str) -> Package | None:
    last = "/" + folder.rsplit("/", 1)[-1]
    for pattern, name in _PRODUCTS:
        if found := pattern.fullmatch(last):
            return Package(name=name, version=found[1] if found.lastindex else None)
    return None
