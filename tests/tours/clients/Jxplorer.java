import com.ca.commons.naming.CBOpenConWin;
import com.ca.commons.naming.DN;
import com.ca.directory.jxplorer.JXplorer;
import com.ca.directory.jxplorer.JXplorerBrowser;
import com.ca.directory.jxplorer.editor.userpasswordeditor;
import com.ca.directory.jxplorer.tree.NewEntryWin;
import com.ca.directory.jxplorer.viewer.TableAttributeEditor;
import com.ca.directory.jxplorer.viewer.tableviewer.AttributeTableModel;
import com.ca.directory.jxplorer.viewer.tableviewer.AttributeValue;
import java.awt.Component;
import java.awt.Container;
import java.awt.Rectangle;
import java.awt.Robot;
import java.awt.Window;
import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import javax.imageio.ImageIO;
import javax.swing.AbstractButton;
import javax.swing.JComboBox;
import javax.swing.JTable;
import javax.swing.JTextArea;
import javax.swing.JTextField;
import javax.swing.SwingUtilities;

/**
 * An administrator at JXplorer: logs in, browses, edits, adds, and sets a password, by the windows of the program, which stand
 * on a screen that nobody sees.
 *
 * <p>Arguments are the folder of JXplorer, a folder for what it keeps, and, if pictures are wanted, a folder for those.
 * Standard input holds lines NAME=VALUE: where the server is, the file of its authority's certificate, and passwords.
 */
public final class Jxplorer {
    private static final String SUFFIX = "dc=example,dc=com";
    private static final String ALICE = "uid=alice,ou=people," + SUFFIX;
    private static final long PATIENCE = 60_000_000_000L;
    private static final Map<String, String> TASK = new HashMap<>();

    private static JXplorerBrowser browser;
    private static Path pictures;

    public static void main(String[] arguments) throws Exception {
        var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        input.lines().map(line -> line.split("=", 2)).forEach(pair -> TASK.put(pair[0], pair[1]));
        pictures = arguments.length > 2 ? Path.of(arguments[2]) : null;
        int status = 1;
        try {
            start(Path.of(arguments[0]), Path.of(arguments[1]));
            logIn("a guess", "49");
            logIn(TASK.get("admin"), null);
            browse();
            edit();
            add();
            setPassword("short", "19");
            setPassword("set in a window of Java", null);
            status = 0;
        } catch (Throwable error) {
            error.printStackTrace();
            picture("fault");
        }
        Runtime.getRuntime().halt(status);
    }

    /** Starts the program with the server's authority among those that it trusts. */
    private static void start(Path program, Path home) throws Exception {
        var trusted = KeyStore.getInstance("JKS");
        trusted.load(null, null);
        try (var file = new FileInputStream(TASK.get("ca"))) {
            trusted.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(file));
        }
        var settings = Files.createDirectories(home.resolve(".jxplorer"));
        var authorities = settings.resolve("authorities");
        try (var file = new FileOutputStream(authorities.toFile())) {
            trusted.store(file, "changeit".toCharArray());
        }
        var local = program.toString().replace("\\", "/") + "/";
        Files.writeString(
                settings.resolve("jxconfig.txt"),
                "option.ssl.cacerts=" + authorities + "\ndir.local=" + local + "\n.level=SEVERE\ncom.ca.level=SEVERE\n");
        System.setProperty("user.home", home.toString());
        System.setProperty("jxplorer.config", "user.home");
        JXplorer.main(new String[0]);
        browser = await("the main window", () -> window(JXplorerBrowser.class));
        await("its tree", () -> browser.getTree() == null ? null : browser.getTree());
    }

    /** Connects; if that is to fail, the window that says so must tell of the result code. */
    private static void logIn(String password, String fault) throws Exception {
        if (window(CBOpenConWin.class) == null) {
            click(button(browser, "Connect to a DSA."));
        }
        var dialog = await("the window to connect", () -> window(CBOpenConWin.class));
        var address = TASK.get("ldaps").replaceAll("^.*//", "").split(":");
        inWindow(() -> {
            JTextField host = field(dialog, "hostName");
            host.setText(address[0]);
            JTextField port = field(dialog, "port");
            port.setText(address[1]);
            JTextField base = field(dialog, "baseDN");
            base.setText(SUFFIX);
            JComboBox<?> level = field(dialog, "level");
            // Over TLS, with a name and a password.
            level.setSelectedIndex(3);
            JTextField name = field(dialog, "managerDN");
            name.setText("cn=admin," + SUFFIX);
            JTextField secret = field(dialog, "password");
            secret.setText(password);
            return null;
        });
        click(button(dialog, "OK"));
        if (fault != null) {
            expectFault(fault);
            return;
        }
        await("a connection", () -> browser.isConnected() ? true : null);
        await("the tree", () -> browser.getTree().getRootNode().getChildCount() > 0 ? true : null);
        picture("connected");
    }

    private static void browse() throws Exception {
        select(ALICE);
        expect("mail", "alice@example.com");
        // The schema is read and shown, too.
        var schema = browser.getSchemaTree();
        require(schema.getRootNode() != null, "no schema");
        picture("browsed");
    }

    private static void edit() throws Exception {
        type("title", "Edited in Java");
        submit();
        select("ou=people," + SUFFIX);
        select(ALICE);
        expect("title", "Edited in Java");
        picture("edited");
    }

    private static void add() throws Exception {
        SwingUtilities.invokeLater(() -> browser.getTree().makeNewEntry(new DN(SUFFIX)));
        var dialog = await("the window for a new entry", () -> window(NewEntryWin.class));
        await("the object classes", () -> {
            javax.swing.DefaultListModel<?> possible = field(dialog, "posDataModel");
            return possible.getSize() > 10 ? true : null;
        });
        inWindow(() -> {
            javax.swing.JCheckBox suggest = field(dialog, "autoSuggest");
            suggest.setSelected(false);
            javax.swing.DefaultListModel<?> selected = field(dialog, "selDataModel");
            for (Object name : selected.toArray()) {
                dialog.removeClass(name.toString());
            }
            dialog.selectClass("organizationalUnit");
            JTextField rdn = field(dialog, "rdnField");
            rdn.setText("ou=machines");
            return null;
        });
        click(button(dialog, "OK"));
        var added = new DN("ou=machines," + SUFFIX);
        await("the editor of the new entry", () -> added.equals(field(editor(), "currentDN")) ? true : null);
        picture("adding");
        clickSubmit();
        var tree = browser.getTree().getTreeModel();
        await("the new entry", () -> tree.getNodeForDN(added) == null ? null : true);
        select("ou=people," + SUFFIX);
        select("ou=machines," + SUFFIX);
        expect("ou", "machines");
        picture("added");
    }

    /** Sets a password by the window that JXplorer has for that; it shows none, since nobody is shown one. */
    private static void setPassword(String password, String fault) throws Exception {
        select("ou=people," + SUFFIX);
        select(ALICE);
        var shown = (AttributeValue) table().getValueAt(row("userPassword"), 1);
        require(shown.isEmpty(), "a password is shown");
        int row = row("userPassword");
        var table = table();
        SwingUtilities.invokeLater(() -> table.editCellAt(row, 1));
        var dialog = await("the window for passwords", () -> window(userpasswordeditor.class));
        inWindow(() -> {
            JComboBox<?> scheme = field(dialog, "comboType");
            scheme.setSelectedItem("plain");
            for (String name : List.of("oldPwd", "newPwd")) {
                JTextField secret = field(dialog, name);
                secret.setText(password);
            }
            return null;
        });
        picture("password");
        click(button(dialog, "OK"));
        await("the end of that window", () -> window(userpasswordeditor.class) == null ? true : null);
        clickSubmit();
        if (fault != null) {
            expectFault(fault);
        } else {
            awaitAnswers();
        }
    }

    // What somebody does with the mouse and the keyboard.

    private static void select(String name) throws Exception {
        var dn = new DN(name);
        awaitAnswers();
        inWindow(() -> {
            var tree = browser.getTree();
            if (tree.getTreeModel().getNodeForDN(dn) == null) {
                tree.readAndExpandDN(dn);
            } else {
                tree.setSelectionPath(tree.getTreeModel().getPathForDN(dn));
            }
            return null;
        });
        await(name + " in the tree", () -> dn.equals(browser.getTree().getCurrentDN()) ? true : null);
        inWindow(() -> {
            var tabs = browser.getAttributeDisplay();
            tabs.setSelectedIndex(tabs.indexOfTab("Table Editor"));
            return null;
        });
        await(name + " in the editor", () -> dn.equals(field(editor(), "currentDN")) ? true : null);
    }

    private static void type(String attribute, String text) throws Exception {
        inWindow(() -> {
            require(table().editCellAt(row(attribute), 1), attribute + " cannot be edited");
            JTextField cell = field(field(editor(), "myEditor"), "textField");
            cell.setText(text);
            require(table().getCellEditor().stopCellEditing(), attribute + " was not taken");
            return null;
        });
    }

    private static void submit() throws Exception {
        clickSubmit();
        awaitAnswers();
    }

    private static void clickSubmit() throws Exception {
        click((AbstractButton) field(editor(), "submit"));
    }

    /** What is answered is shown, and another entry chosen for it, so nothing else is to be clicked on before. */
    private static void awaitAnswers() throws Exception {
        var broker = browser.getJndiBroker();
        for (int events = 0; events < 3; events++) {
            await("answers", () -> broker.hasRequests() || broker.getCurrent() != null ? null : true);
        }
    }

    private static void expect(String attribute, String value) throws Exception {
        await(attribute + ": " + value, () -> row(attribute) >= 0 && value(attribute).equals(value) ? true : null);
    }

    /** Waits for a window that tells of a fault with this result code, and closes it. */
    private static void expectFault(String code) throws Exception {
        var told = awaitAnyway("a fault", () -> fault());
        require(told.contains("error code " + code + " "), "another fault than " + code + ": " + told);
        picture("refused-" + code);
        click(button(faultWindow(), "OK"));
        awaitAnyway("the end of that window", () -> fault() == null ? true : null);
    }

    // What is on the screen.

    private static TableAttributeEditor editor() throws Exception {
        return field(browser.getAttributeDisplay(), "tableDisplay");
    }

    private static JTable table() throws Exception {
        return field(editor(), "attributeTable");
    }

    private static int row(String attribute) throws Exception {
        var table = table();
        for (int row = 0; row < table.getRowCount(); row++) {
            if (table.getValueAt(row, 0).toString().equalsIgnoreCase(attribute)) {
                return row;
            }
        }
        return -1;
    }

    private static String value(String attribute) throws Exception {
        return String.valueOf(table().getValueAt(row(attribute), 1));
    }

    private static Window faultWindow() {
        for (Window window : Window.getWindows()) {
            if (window.isShowing() && window.getClass().getSimpleName().equals("CBErrorWin")) {
                return window;
            }
        }
        return null;
    }

    private static String fault() throws Exception {
        var window = faultWindow();
        if (window == null) {
            return null;
        }
        Exception cause = field(window, "exception");
        return texts(window) + " " + cause;
    }

    private static String texts(Container within) {
        return all(within).stream()
                .filter(one -> one instanceof JTextArea)
                .map(one -> ((JTextArea) one).getText())
                .collect(Collectors.joining(" "));
    }

    private static <T> T window(Class<T> kind) {
        for (Window window : Window.getWindows()) {
            if (window.isShowing() && kind.isInstance(window)) {
                return kind.cast(window);
            }
        }
        return null;
    }

    /** The button with this label or this hint. */
    private static AbstractButton button(Container within, String words) throws Exception {
        for (Component one : inWindow(() -> all(within))) {
            if (one instanceof AbstractButton button
                    && (words.equals(button.getText()) || words.equals(button.getToolTipText()))) {
                return button;
            }
        }
        throw new AssertionError("no button " + words);
    }

    private static List<Component> all(Container within) {
        var found = new ArrayList<Component>();
        for (Component one : within.getComponents()) {
            found.add(one);
            if (one instanceof Container container) {
                found.addAll(all(container));
            }
        }
        return found;
    }

    /** A click may open a window that holds the thread of windows until it is closed. */
    private static void click(AbstractButton button) {
        SwingUtilities.invokeLater(button::doClick);
    }

    @SuppressWarnings("unchecked")
    private static <T> T field(Object of, String name) throws Exception {
        for (Class<?> kind = of.getClass(); kind != null; kind = kind.getSuperclass()) {
            for (var field : kind.getDeclaredFields()) {
                if (field.getName().equals(name)) {
                    field.setAccessible(true);
                    return (T) field.get(of);
                }
            }
        }
        throw new AssertionError("no field " + name);
    }

    private static <T> T inWindow(Callable<T> look) throws Exception {
        var done = new FutureTask<>(look);
        SwingUtilities.invokeAndWait(done);
        return done.get();
    }

    private static <T> T await(String what, Callable<T> look) throws Exception {
        return awaitAnyway(what, () -> {
            var told = fault();
            require(told == null, "while waiting for " + what + ": " + told);
            return look.call();
        });
    }

    /** Looks until something is there. */
    private static <T> T awaitAnyway(String what, Callable<T> look) throws Exception {
        for (long begun = System.nanoTime(); System.nanoTime() - begun < PATIENCE; LockSupport.parkNanos(5_000_000)) {
            var found = inWindow(look);
            if (found != null) {
                return found;
            }
        }
        throw new AssertionError("no sign of " + what + "; the status is " + browser.getStatus());
    }

    private static void require(boolean right, String otherwise) {
        if (!right) {
            throw new AssertionError(otherwise);
        }
    }

    private static void picture(String name) throws Exception {
        if (pictures != null) {
            var screen = new Rectangle(java.awt.Toolkit.getDefaultToolkit().getScreenSize());
            ImageIO.write(new Robot().createScreenCapture(screen), "png", pictures.resolve(name + ".png").toFile());
        }
    }

    private Jxplorer() {}
}
