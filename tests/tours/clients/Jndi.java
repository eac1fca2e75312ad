import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import javax.naming.AuthenticationException;
import javax.naming.Context;
import javax.naming.NameAlreadyBoundException;
import javax.naming.NameNotFoundException;
import javax.naming.NamingEnumeration;
import javax.naming.NamingException;
import javax.naming.NoPermissionException;
import javax.naming.OperationNotSupportedException;
import javax.naming.directory.Attribute;
import javax.naming.directory.Attributes;
import javax.naming.directory.BasicAttribute;
import javax.naming.directory.BasicAttributes;
import javax.naming.directory.DirContext;
import javax.naming.directory.InvalidAttributeValueException;
import javax.naming.directory.ModificationItem;
import javax.naming.directory.SchemaViolationException;
import javax.naming.directory.SearchControls;
import javax.naming.directory.SearchResult;
import javax.naming.ldap.Control;
import javax.naming.ldap.ExtendedRequest;
import javax.naming.ldap.ExtendedResponse;
import javax.naming.ldap.InitialLdapContext;
import javax.naming.ldap.LdapContext;
import javax.naming.ldap.PagedResultsControl;
import javax.naming.ldap.PagedResultsResponseControl;
import javax.naming.ldap.SortControl;
import javax.naming.ldap.SortKey;
import javax.naming.ldap.SortResponseControl;
import javax.naming.ldap.StartTlsRequest;
import javax.naming.ldap.StartTlsResponse;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * What programs in Java do (Keycloak, PWM, Jenkins, LSC), by JNDI.
 *
 * <p>Standard input holds lines NAME=VALUE: where the server is, the file of its authority's certificate, and passwords.
 */
public final class Jndi {
    private static final String SUFFIX = "dc=example,dc=com";
    private static final String PEOPLE = "ou=people," + SUFFIX;
    private static final String ADMIN = "cn=admin," + SUFFIX;
    private static final String ALICE = "uid=alice," + PEOPLE;
    private static final String BOB = "uid=bob," + PEOPLE;
    private static final Map<String, String> TASK = new HashMap<>();

    public static void main(String[] arguments) throws Exception {
        var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        input.lines().map(line -> line.split("=", 2)).forEach(pair -> TASK.put(pair[0], pair[1]));
        trustTheServer();
        transports();
        rootDse();
        searches();
        sortedSearches();
        schema();
        writes();
        passwords();
    }

    private static void trustTheServer() throws Exception {
        var trusted = KeyStore.getInstance(KeyStore.getDefaultType());
        trusted.load(null, null);
        try (var file = new FileInputStream(TASK.get("ca"))) {
            trusted.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(file));
        }
        var factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(trusted);
        var context = SSLContext.getInstance("TLS");
        context.init(null, factory.getTrustManagers(), null);
        SSLContext.setDefault(context);
    }

    private static void transports() throws Exception {
        var plain = new InitialLdapContext(environment("ldap"), null);
        var tls = (StartTlsResponse) plain.extendedOperation(new StartTlsRequest());
        tls.negotiate(SSLContext.getDefault().getSocketFactory());
        plain.addToEnvironment(Context.SECURITY_AUTHENTICATION, "simple");
        plain.addToEnvironment(Context.SECURITY_PRINCIPAL, ALICE);
        plain.addToEnvironment(Context.SECURITY_CREDENTIALS, TASK.get("alice"));
        is(count(plain.search(PEOPLE, "(uid=alice)", subtree())), 1);
        // C5: good, bad, good.
        plain.addToEnvironment(Context.SECURITY_CREDENTIALS, "a guess");
        refused(AuthenticationException.class, () -> plain.reconnect(null));
        plain.close();
        bound(ALICE).close();
        refused(AuthenticationException.class, () -> bound(ALICE, "a guess"));
    }

    private static void rootDse() throws Exception {
        var anonymous = new InitialLdapContext(environment("ldaps"), null);
        var names = new String[] {"namingContexts", "supportedControl", "supportedExtension", "subschemaSubentry"};
        Attributes dse = anonymous.getAttributes("", names);
        is(dse.get("namingContexts").get(), SUFFIX);
        is(dse.get("supportedExtension").contains("1.3.6.1.4.1.4203.1.11.1"), true);
        anonymous.close();
    }

    private static void searches() throws Exception {
        var context = bound(ADMIN);
        // JNDI sends ManageDsaIT with every search; these are the filter arguments of Spring and Keycloak.
        var found = context.search(PEOPLE, "(&(objectClass={0})(mail={1}))", new Object[] {"person", "alice@example.com"},
                subtree());
        is(found.next().getNameInNamespace(), ALICE);
        List<String> whole = names(context.search(SUFFIX, "(objectClass=*)", subtree()));
        List<String> paged = new ArrayList<>();
        byte[] cookie = null;
        do {
            context.setRequestControls(new Control[] {new PagedResultsControl(3, cookie, Control.CRITICAL)});
            paged.addAll(names(context.search(SUFFIX, "(objectClass=*)", subtree())));
            cookie = null;
            for (Control control : context.getResponseControls()) {
                if (control instanceof PagedResultsResponseControl answer) {
                    cookie = answer.getCookie();
                }
            }
        } while (cookie != null);
        is(paged, whole);
        context.setRequestControls(null);
        refused(NameNotFoundException.class, () -> context.getAttributes("uid=nobody," + PEOPLE));
        is(context.getAttributes(ALICE, new String[] {"memberOf", "entryUUID"}).size(), 2);
        is(context.getAttributes("uid=ALICE, OU=People, dc=example,dc=com").get("uidNumber").get(), "5001");
        context.close();
    }

    private static void sortedSearches() throws Exception {
        var context = bound(ADMIN);
        var people = List.of("alice", "bob", "carol", "hanna");
        for (boolean ascending : new boolean[] {true, false}) {
            var key = new SortKey("uidNumber", ascending, null);
            context.setRequestControls(new Control[] {new SortControl(new SortKey[] {key}, Control.CRITICAL)});
            List<String> found = names(context.search(PEOPLE, "(objectClass=posixAccount)", subtree()));
            var expected = new ArrayList<>(people.stream().map(uid -> "uid=" + uid + "," + PEOPLE).toList());
            if (!ascending) {
                Collections.reverse(expected);
            }
            is(found, expected);
            var answer = (SortResponseControl) context.getResponseControls()[0];
            is(answer.isSorted(), true);
            is(answer.getResultCode(), 0);
        }
        // By several keys and page by page, as tables in Java do.
        byte[] cookie = null;
        List<String> paged = new ArrayList<>();
        do {
            var keys = new SortKey[] {new SortKey("gidNumber"), new SortKey("cn", false, "caseIgnoreOrderingMatch")};
            var page = new PagedResultsControl(3, cookie, Control.CRITICAL);
            context.setRequestControls(new Control[] {new SortControl(keys, Control.CRITICAL), page});
            paged.addAll(names(context.search(PEOPLE, "(cn=*)", subtree())));
            cookie = null;
            for (Control control : context.getResponseControls()) {
                if (control instanceof PagedResultsResponseControl answer) {
                    cookie = answer.getCookie();
                }
            }
        } while (cookie != null);
        is(paged.size(), people.size());
        is(paged.get(3), ALICE);
        // What has no order is told.
        context.setRequestControls(new Control[] {new SortControl("jpegPhoto", Control.CRITICAL)});
        refused(OperationNotSupportedException.class, () -> names(context.search(PEOPLE, "(cn=*)", subtree())));
        context.close();
    }

    private static void schema() throws Exception {
        var context = bound(ADMIN);
        DirContext schema = context.getSchema(ALICE);
        Attributes person = schema.getAttributes("ClassDefinition/inetOrgPerson");
        is(person.get("NUMERICOID").get(), "2.16.840.1.113730.3.2.2");
        Attributes mail = schema.getAttributes("AttributeDefinition/mail");
        is(mail.get("EQUALITY").get(), "caseIgnoreIA5Match");
        for (String kind : List.of("ClassDefinition", "AttributeDefinition", "SyntaxDefinition", "MatchingRule")) {
            var definitions = Collections.list(schema.list(kind));
            is(definitions.size() > 20, true);
            for (var definition : definitions) {
                schema.getAttributes(kind + "/" + definition.getName());
            }
        }
        List<String> classes = new ArrayList<>();
        context.getSchemaClassDefinition(ALICE).list("").asIterator().forEachRemaining(one -> classes.add(one.getName()));
        is(classes.contains("inetOrgPerson"), true);
        context.close();
    }

    private static void writes() throws Exception {
        var context = bound(ADMIN);
        var name = "cn=a\\, b/\u00e4,ou=services," + SUFFIX;
        var thing = new BasicAttributes(true);
        thing.put(new BasicAttribute("objectClass", "device"));
        thing.put(new BasicAttribute("serialNumber", "1"));
        var path = new javax.naming.ldap.LdapName(name);
        context.createSubcontext(path, thing);
        refused(NameAlreadyBoundException.class, () -> context.createSubcontext(path, thing));
        context.modifyAttributes(path, new ModificationItem[] {
            change(DirContext.ADD_ATTRIBUTE, "serialNumber", "2"),
            change(DirContext.REPLACE_ATTRIBUTE, "description", "\u00c4rger * ( ) \\"),
            change(DirContext.REMOVE_ATTRIBUTE, "serialNumber", "1"),
        });
        is(context.getAttributes(path).get("serialNumber").get(), "2");
        is(count(context.search(SUFFIX, "(description={0})", new Object[] {"\u00e4rger * ( ) \\"}, subtree())), 1);
        refused(SchemaViolationException.class,
                () -> context.modifyAttributes(ALICE, new ModificationItem[] {change(DirContext.REMOVE_ATTRIBUTE, "sn", null)}));
        // JNDI's compare: scope base, a filter of one equality, no attributes.
        var compare = subtree();
        compare.setSearchScope(SearchControls.OBJECT_SCOPE);
        compare.setReturningAttributes(new String[0]);
        is(count(context.search(ALICE, "(sn={0})", new Object[] {"ADAMS"}, compare)), 1);
        is(count(context.search(ALICE, "(sn={0})", new Object[] {"Baker"}, compare)), 0);
        var moved = new javax.naming.ldap.LdapName("cn=moved," + PEOPLE);
        context.rename(path, moved);
        context.destroySubcontext(moved);
        refused(NameNotFoundException.class, () -> context.getAttributes(moved));
        context.close();
    }

    private static void passwords() throws Exception {
        var alice = bound(ALICE);
        var told = refused(InvalidAttributeValueException.class,
                () -> alice.extendedOperation(new PasswordModify(ALICE, TASK.get("alice"), "short")));
        is(told.contains("at least 15 characters"), true);
        refused(AuthenticationException.class,
                () -> alice.extendedOperation(new PasswordModify(ALICE, "a guess", "a much better secret")));
        alice.extendedOperation(new PasswordModify(ALICE, TASK.get("alice"), "a much better secret"));
        alice.close();
        var again = bound(ALICE, "a much better secret");
        var items = new ModificationItem[] {
            change(DirContext.REMOVE_ATTRIBUTE, "userPassword", "a much better secret"),
            change(DirContext.ADD_ATTRIBUTE, "userPassword", "by modify, as some do"),
        };
        again.modifyAttributes(ALICE, items);
        again.close();
        bound(ALICE, "by modify, as some do").close();
        refused(AuthenticationException.class, () -> bound(ALICE, TASK.get("alice")));
        // Keycloak's way: a service that may, replaces.
        var admin = bound(ADMIN);
        var replace = new ModificationItem[] {change(DirContext.REPLACE_ATTRIBUTE, "userPassword", "given out by an admin")};
        admin.modifyAttributes(BOB, replace);
        bound(BOB, "given out by an admin").close();
        var hanna = bound("uid=hanna," + PEOPLE);
        refused(NoPermissionException.class,
                () -> hanna.extendedOperation(new PasswordModify(ADMIN, null, "a much better secret")));
    }

    /** RFC 3062. */
    private record PasswordModify(String user, String old, String fresh) implements ExtendedRequest {
        @Override
        public String getID() {
            return "1.3.6.1.4.1.4203.1.11.1";
        }

        @Override
        public byte[] getEncodedValue() {
            var content = new java.io.ByteArrayOutputStream();
            var fields = new String[] {user, old, fresh};
            for (int index = 0; index < fields.length; index++) {
                if (fields[index] != null) {
                    byte[] octets = fields[index].getBytes(StandardCharsets.UTF_8);
                    content.write(0x80 | index);
                    content.write(octets.length);
                    content.writeBytes(octets);
                }
            }
            var whole = new java.io.ByteArrayOutputStream();
            whole.write(0x30);
            whole.write(content.size());
            whole.writeBytes(content.toByteArray());
            return whole.toByteArray();
        }

        @Override
        public ExtendedResponse createExtendedResponse(String id, byte[] value, int offset, int length) {
            return null;
        }
    }

    private static Hashtable<String, String> environment(String url) {
        var environment = new Hashtable<String, String>();
        environment.put(Context.INITIAL_CONTEXT_FACTORY, "com.sun.jndi.ldap.LdapCtxFactory");
        environment.put(Context.PROVIDER_URL, TASK.get(url));
        environment.put("com.sun.jndi.ldap.connect.timeout", "60000");
        environment.put("com.sun.jndi.ldap.read.timeout", "60000");
        return environment;
    }

    private static LdapContext bound(String name, String password) throws NamingException {
        var environment = environment("ldaps");
        environment.put(Context.SECURITY_AUTHENTICATION, "simple");
        environment.put(Context.SECURITY_PRINCIPAL, name);
        environment.put(Context.SECURITY_CREDENTIALS, password);
        return new InitialLdapContext(environment, null);
    }

    private static LdapContext bound(String name) throws NamingException {
        return bound(name, TASK.get(name.split(",")[0].split("=")[1]));
    }

    private static SearchControls subtree() {
        var controls = new SearchControls();
        controls.setSearchScope(SearchControls.SUBTREE_SCOPE);
        return controls;
    }

    private static ModificationItem change(int kind, String attribute, String value) {
        return new ModificationItem(kind, value == null ? new BasicAttribute(attribute) : new BasicAttribute(attribute, value));
    }

    private static List<String> names(NamingEnumeration<SearchResult> found) throws NamingException {
        List<String> names = new ArrayList<>();
        while (found.hasMore()) {
            names.add(found.next().getNameInNamespace());
        }
        return names;
    }

    private static int count(NamingEnumeration<SearchResult> found) throws NamingException {
        return names(found).size();
    }

    private interface Work {
        void run() throws Exception;
    }

    /** The message of an exception that must come. */
    private static String refused(Class<? extends NamingException> kind, Work work) throws Exception {
        try {
            work.run();
        } catch (NamingException told) {
            if (kind.isInstance(told)) {
                return told.getMessage();
            }
            throw told;
        }
        throw new AssertionError(kind + " did not come");
    }

    private static void is(Object got, Object wanted) {
        if (!got.equals(wanted)) {
            throw new AssertionError(got + " is not " + wanted);
        }
    }
}
